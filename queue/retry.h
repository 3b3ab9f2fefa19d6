/*
 * retry.h - when to try again: arithmetic only.
 */
#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include <stdint.h>

#include "lib/conf.h"

/*
 * Milliseconds to wait after the attempt-th failure in a row (1 is the
 * first): the configured time, the last of which repeats, 10 % more or less.
 *
 *   chance  any number, for the jitter
 */
int64_t retry_wait_ms(const struct conf *, uint32_t attempt, uint32_t chance);

/*
 * The wall-clock time of the next attempt at a message accepted then and
 * tried `attempts` times by now; never behind the moment of giving up, so
 * that the last attempt falls on it.  0: give up now.
 */
int64_t retry_next_ms(const struct conf *, int64_t accepted_ms, int64_t now_ms,
    uint32_t attempts, uint32_t chance);

/*
 * When at the latest to try again what was put off because its server does
 * not know us yet.  Many want to see it again five minutes later, and not
 * earlier.
 */
int64_t retry_grey_ms(int64_t now_ms, uint32_t chance);

/* Attempts after which it is not believed any more. */
#define RETRY_GREY 3

/* A number without meaning, for chance above. */
uint32_t retry_chance(void);

#endif
