/*
 * meter.h - a bucket that fills with what is used and drains at a steady rate:
 * so much at once, and the same again over its period.
 *
 * Pure: the caller has the clock, which is the wall's, for a bucket outlives
 * the process.  A clock that goes back drains nothing.
 */
#ifndef AUTH_METER_H
#define AUTH_METER_H

#include <stdbool.h>
#include <stdint.h>

struct meter {
	uint64_t used;  /* in units of 10^-9 */
	uint64_t at_ms; /* when that was true; unix milliseconds */
};

struct meter_rate {
	uint64_t limit; /* that fit at once, and drain in a period */
	uint64_t period_ms;
};

/* What is in it now, rounded up. */
uint64_t meter_level(const struct meter *, struct meter_rate, uint64_t now_ms);

/* Milliseconds until n more fit: 0 they do, -1 they never will. */
int64_t meter_wait_ms(
    const struct meter *, struct meter_rate, uint64_t n, uint64_t now_ms);

/* Put n in, whether they fit or not. */
void meter_add(struct meter *, struct meter_rate, uint64_t n, uint64_t now_ms);

/* Take n out again, or what there is. */
void meter_undo(struct meter *, uint64_t n);

#endif
