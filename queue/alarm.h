/*
 * alarm.h - times at which destinations are to be looked at again, the next
 * one first: a heap, so that setting and ringing cost O(log n).
 */
#ifndef QUEUE_ALARM_H
#define QUEUE_ALARM_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed by its owner; of no other use than to be set. */
struct alarm {
	int64_t at;   /* ms, loop_now_ms() */
	size_t place; /* in the heap, counted from 1; 0: not set */
};

void alarm_set(struct alarm *, int64_t at_ms); /* replaces an earlier time */
void alarm_clear(struct alarm *);

/* The first one, if its time has come; not set any more.  NULL: none. */
struct alarm *alarm_ring(int64_t now_ms);
/* When the first one rings; 0 none is set. */
int64_t alarm_next(void);

#endif
