/*
 * throttle.h - guessing passwords is slow, and mistyping one is not.
 *
 * Wrong passwords are counted for each client network (net_prefix()) and for
 * each pair of network and account:
 *
 *   network   20 at once, then one a minute
 *   pair      10 at once, then one in two minutes
 *
 * Whoever is over a count is not evaluated, so 10,000 guesses from a network
 * are 80 tries in their first hour.  Nothing is counted against an account
 * alone: from elsewhere its owner never notices.  A pair that has logged in
 * before is not held back by what else comes from its network.
 *
 * A device that repeats a wrong password it was given long ago is no
 * attacker: the last few wrong ones of a pair are remembered as digests, and
 * the same one again is stale and counts for nothing.
 *
 * The tables are bounded; what is forgotten starts at zero.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/digest.h"

/* As how many tries one counts that comes where [screen] says slow: three wrong
 * passwords of a pair and five of a network, and each answer as late as can
 * be. */
#define THROTTLE_SLOW 4

enum throttle {
	THROTTLE_GO,    /* evaluate it; ends in _right, _wrong or _cancel */
	THROTTLE_STALE, /* known to be wrong; nothing is counted */
	THROTTLE_OVER,
};

/*
 * May this be evaluated?  A try is taken from both counts right away, so that
 * a thousand at the same moment are no more than a thousand in a row.
 *
 *   net     from net_prefix()
 *   user    the account, or what was typed when there is none
 *   digest  of user, stored hash and password
 *   cost    as how many tries it counts: 1, or THROTTLE_SLOW
 *   now_ms  of a clock that only grows
 */
enum throttle throttle_begin(const char *net, const char *user,
    const unsigned char digest[DIGEST_SIZE], unsigned cost, int64_t now_ms);

/* It was right: the try is given back, the pair is trusted. */
void throttle_right(
    const char *net, const char *user, unsigned cost, int64_t now_ms);
/* Nobody knows: given back. */
void throttle_cancel(const char *net, const char *user, unsigned cost);
/* It was wrong: from now on it is stale. */
void throttle_wrong(
    const char *net, const char *user, const unsigned char digest[DIGEST_SIZE]);

/* Has this pair logged in, as far as is remembered? */
bool throttle_trusts(const char *net, const char *user);
/* Did others than the try that has just begun fail from this network, lately? */
bool throttle_suspects(const char *net, int64_t now_ms);

/* How long to sit on the answer to a wrong password, in milliseconds from its
 * arrival: 500 for the first, 4000 at most. */
int64_t throttle_delay_ms(const char *net, const char *user, int64_t now_ms);

/* Milliseconds until the pair may try again; 0 now. */
int64_t throttle_wait_ms(const char *net, const char *user, int64_t now_ms);

void throttle_close(void);

#endif
