/*
 * t_known.h - table known: login, hash -> the day on which this account wrote
 * to that recipient.
 *
 * An account has KNOWN_MOST rows at most: one more takes the place of another
 * one, whichever comes next.  What is older than KNOWN_DAYS counts as unknown.
 */
#ifndef AUTH_T_KNOWN_H
#define AUTH_T_KNOWN_H

#include "auth/store.h"

#define KNOWN_MOST  10000
#define KNOWN_DAYS  180 /* that a recipient is remembered */
#define KNOWN_FRESH 7   /* the row is not written again before */

/* The day of its last mail, as days since 1970; 0 unknown. */
uint32_t
known_day(struct txn *, const char *login, const uint8_t hash[RCPT_HASH]);

/* Note a mail of this day; *count is the account's number of rows. */
void known_put(struct txn *, const char *login, const uint8_t hash[RCPT_HASH],
    uint32_t day, uint32_t *count);

void known_del_all(struct txn *, const char *login);

#endif
