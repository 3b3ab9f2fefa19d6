/*
 * berths.h - how many connections a destination has, and how many it may have.
 *
 * Destination and width are the queue's words (queue/dest.h); counted is every
 * connection from connect() to the end, whether it carries a job, rests or
 * says good-bye.  Who finds no berth waits in line; what rests goes then.
 */
#ifndef DELIVER_BERTHS_H
#define DELIVER_BERTHS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct berths;

struct berth_wait {
	struct berths *at; /* NULL: not in line */
	void (*go)(void *arg);
	void *arg;
	TAILQ_ENTRY(berth_wait) entry;
};

/* Those of a destination, with a reference for the caller; its width is this
 * from now on. */
struct berths *berths_for(uint64_t dest, unsigned width);
/* Give a reference back; NULL is no destination's. */
void berths_put(struct berths *);
/* What is told of the width without a job; NULL when nobody is there. */
struct berths *berths_tell(uint64_t dest, unsigned width);

/* May one more connection begin?  Always at NULL. */
bool berths_free(const struct berths *);
/* More than there is room for, those in line included: something that rests
 * has to go.  What says good-bye already does not count. */
bool berths_crowded(const struct berths *);

/* A connection begins; `leaving`: it says good-bye; ends.  No-ops at NULL. */
void berths_take(struct berths *);
void berths_leaving(struct berths *);
void berths_leave(struct berths *, bool leaving);

/* go comes once, from the loop, when there may be a berth. */
void berths_wait(
    struct berths *, struct berth_wait *, void (*go)(void *), void *arg);
/* Harmless when it is not in line. */
void berths_unwait(struct berth_wait *);

#endif
