/*
 * clock.h - what is to be believed of the wall clock, which somebody may set:
 * a battery is empty, a machine begins with the local time, a time server
 * errs.  What is thrown away by a wrong one does not come back.
 */
#ifndef QUEUE_CLOCK_H
#define QUEUE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The store is open, and the group knows its totals. */
void clock_start(void);

/* Milliseconds since the process started, or the clock was last set by more
 * than an hour. */
int64_t clock_steady_ms(void);

/*
 * Has it stayed as it is for so long that times which were written down may be
 * changed by it?  One that begins behind the true time is set within that.
 */
bool clock_is_settled(void);
/* It was set by more than an hour, and may be set again: nobody is told that it
 * is too late. */
bool clock_is_doubtful(void);

/* May what is older than keep_ms be forgotten now?  Not in the first hours of a
 * start or behind a clock that was set, nor while it is not likely. */
bool clock_may_forget(int64_t keep_ms);

/*
 * Since when a message is tried, for who gives up: as it says; but where the
 * clock was set, or nothing ran for that long, so much later that a few hours
 * are left from then on.
 */
int64_t clock_begun(int64_t begun_ms);

#endif
