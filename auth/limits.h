/*
 * limits.h - what an account is held to: its own numbers, or the server's,
 * which are halved while the account is new.
 */
#ifndef AUTH_LIMITS_H
#define AUTH_LIMITS_H

#include "auth/book.h"
#include "lib/conf.h"

/* By enum limit.  True when the server's are halved. */
bool limits_of(const struct page *, const struct conf *, uint64_t now_s,
    uint64_t limit[LIMITS]);

#endif
