/*
 * t_grant.h - table grant: login, address -> who gave it and when.
 *
 * An address is in canonical text with its local part in lower case, because
 * a grant covers either case (address_matches()); "@example.org" is all of a
 * domain.  Several accounts may share an address.
 */
#ifndef AUTH_T_GRANT_H
#define AUTH_T_GRANT_H

#include "auth/store.h"

struct grant {
	char by[128];
	uint64_t created; /* unix seconds */
};

/* False when there is none. */
bool
grant_get(struct txn *, const char *login, const char *address, struct grant *);
/* Overwrites. */
void grant_put(
    struct txn *, const char *login, const char *address, const struct grant *);
/* False when there was none. */
bool grant_del(struct txn *, const char *login, const char *address);
void grant_del_all(struct txn *, const char *login);

/* The grant that comes next behind (login, address), both replaced; address
 * "" starts with the first of that login, both "" with the first of all. */
bool grant_next(struct txn *, char login[ADDR_SIZE], char address[ADDR_SIZE],
    struct grant *);
size_t grant_count(struct txn *, const char *login);

#endif
