/*
 * t_verdict.h - table verdict: login -> what the guard had before it when it
 * froze the account.
 *
 * The day goes on being counted, and an account grows older: what is told of
 * a verdict must be what it was based on.
 */
#ifndef AUTH_T_VERDICT_H
#define AUTH_T_VERDICT_H

#include "auth/guard_rules.h"
#include "auth/store.h"

struct verdict_row {
	uint64_t when; /* unix seconds */
	uint32_t rule; /* enum guard_rule */
	struct guard_evidence e;
};

/* False when it was never frozen. */
bool verdict_get(struct txn *, const char *login, struct verdict_row *);
/* Overwrites. */
void verdict_put(struct txn *, const char *login, const struct verdict_row *);
void verdict_del(struct txn *, const char *login);

#endif
