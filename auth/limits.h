/*
 * limits.h - what an account is held to: its own numbers, or the server's,
 * which are halved while the account is new.
 */
#ifndef AUTH_LIMITS_H
#define AUTH_LIMITS_H

#include "auth/book.h"
#include "lib/conf.h"

/* Is it new?  One that was imported is not. */
bool limits_young(const struct page *, const struct conf *, uint64_t now_s);

/*
 * What is this account's own: a number that was set for it, or that follows
 * from one that was raised (its new-per-day from its per-day).  0: the server's
 * holds.
 */
uint64_t limits_own(const struct page *, const struct conf *, enum limit);

/* By enum limit.  True when the server's are halved. */
bool limits_of(const struct page *, const struct conf *, uint64_t now_s,
    uint64_t limit[LIMITS]);

/* Lower each limit to what a credential has of its own (0: nothing). */
void limits_narrow(uint64_t limit[LIMITS], const uint64_t own[LIMITS]);

#endif
