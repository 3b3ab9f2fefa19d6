/*
 * t_usage.h - table usage: login, or login/label of a credential with a limit
 * of its own -> what was used of the limits.
 */
#ifndef AUTH_T_USAGE_H
#define AUTH_T_USAGE_H

#include "auth/meter.h"
#include "auth/store.h"

#define USAGE_KEY (ADDR_SIZE + 1 + CREDENTIAL_LABEL)

struct usage {
	struct meter meter[LIMITS]; /* by enum limit; some are not counted */
	uint32_t known;             /* rows it has in table known */
};

/* All zero when there is no row. */
void usage_get(struct txn *, const char *key, struct usage *);
/* Overwrites. */
void usage_put(struct txn *, const char *key, const struct usage *);
/* The account's row and those of its credentials. */
void usage_del_all(struct txn *, const char *login);

#endif
