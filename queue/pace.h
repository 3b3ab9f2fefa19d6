/*
 * pace.h - how much one destination gets at once, and when: arithmetic only.
 *
 * The width, jobs in flight at once, begins low, grows with success while
 * more is wanted, and halves when the destination does not answer or says
 * 421.  What a flight reports that took off before the last halving does not
 * halve again: one event is one event, however many connections it cost.
 *
 * A destination that nothing is known of, or that failed last, is in doubt:
 * one flight goes and everybody else waits for what it finds.  It goes within
 * the width, too: those that took off before it was halved land first.  When it
 * finds nobody, the destination is left alone for the times of the retry
 * schedule.
 */
#ifndef QUEUE_PACE_H
#define QUEUE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"

#define PACE_START 5

struct pace {
	unsigned limit;     /* flights at once now */
	unsigned flying;    /* all */
	unsigned fresh;     /* those since the last change of epoch */
	unsigned threshold; /* up to here each success widens */
	unsigned credit;    /* successes beyond it since it last widened */
	uint32_t epoch;
	unsigned failures; /* in a row */
	bool answered;     /* ever, as long as we remember it */
	bool doubt;        /* one at a time, to see whether it answers */
	int64_t since;     /* ms: the first failure in a row; 0 none */
	int64_t retry_at;  /* ms: left alone until then; 0 no */
	int64_t free_us;   /* microseconds: the rate allows the next */
};

/* What its route says. */
struct pace_bounds {
	unsigned most;       /* flights at once */
	int64_t interval_us; /* from one to the next; 0 any */
};

enum landing {
	LANDED_WELL,     /* it took the mail */
	LANDED_SQUEEZED, /* it did, but one of its servers had said 421 */
	LANDED_ANSWERED, /* it did not take it, but it answered */
	LANDED_BUSY,     /* it said 421 */
	LANDED_NOWHERE,  /* it did not answer */
	LANDED_ASTRAY,   /* its servers were not asked: DNS, or a policy */
	LANDED_UNKNOWN,  /* we never heard: deliver died */
};

void pace_init(struct pace *);

/* Times are those of a clock that only grows (loop_now_ms()): nobody waits for
 * one that was set. */

/* May another flight take off now? */
bool pace_may(const struct pace *, const struct pace_bounds *, int64_t now_ms);
/* Connections that it may have now, those that rest included. */
unsigned pace_width(const struct pace *, const struct pace_bounds *);
/* When the rate allows one; not behind now: it does. */
int64_t pace_free_ms(const struct pace *);

/* Returns the epoch, for pace_land() and pace_hear(). */
uint32_t
pace_take_off(struct pace *, const struct pace_bounds *, int64_t now_ms);
void pace_land(struct pace *, uint32_t epoch);

/* A flight that is still under way has found somebody to talk to. */
void pace_contact(struct pace *);

/*
 * What a flight found, and whether somebody waited for a free one meanwhile.
 * Returns whether the destination is left alone from now on.
 *
 *   conf    for the retry schedule
 *   chance  any number, for its jitter
 */
bool pace_hear(struct pace *, const struct pace_bounds *, enum landing,
    uint32_t epoch, bool demand, const struct conf *conf, int64_t now_ms,
    uint32_t chance);

/* The wait is over: one may go and look. */
void pace_wake(struct pace *);
/* As an admin asked: and what it failed before does not count. */
void pace_forgive(struct pace *);

#endif
