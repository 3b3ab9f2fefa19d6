/*
 * t_legacy.h - table legacy: logins that may be used at listeners for old
 * devices, whose TLS is not what it should be.
 */
#ifndef AUTH_T_LEGACY_H
#define AUTH_T_LEGACY_H

#include "auth/store.h"

struct legacy {
	char by[128]; /* who allowed it */
	uint64_t created;
};

/* False when it may not. */
bool legacy_get(struct txn *, const char *login, struct legacy *);
/* Overwrites. */
void legacy_put(struct txn *, const char *login, const struct legacy *);
/* False when there was none. */
bool legacy_del(struct txn *, const char *login);

#endif
