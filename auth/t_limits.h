/*
 * t_limits.h - table limits: login -> what this account is held to instead of
 * what the configuration says for everybody.
 */
#ifndef AUTH_T_LIMITS_H
#define AUTH_T_LIMITS_H

#include "auth/store.h"

struct limits {
	uint64_t limit[LIMITS]; /* by enum limit; 0 the server's */
};

/* All zero when there is no row. */
void limits_get(struct txn *, const char *login, struct limits *);
/* Overwrites. */
void limits_put(struct txn *, const char *login, const struct limits *);
void limits_del(struct txn *, const char *login);

#endif
