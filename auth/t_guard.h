/*
 * t_guard.h - table guard: login -> what the guard knows of it.
 */
#ifndef AUTH_T_GUARD_H
#define AUTH_T_GUARD_H

#include "auth/guard_rules.h"
#include "auth/store.h"

/* All zero when there is no row. */
void guard_get(struct txn *, const char *login, struct guard *);
/* Overwrites. */
void guard_put(struct txn *, const char *login, const struct guard *);
void guard_del(struct txn *, const char *login);

/* Write every row of a format before 3 anew. */
void guard_upgrade(struct txn *);

#endif
