/*
 * t_logins.h - table logins: login -> the last logins of an account, as many
 * as fit into one row (about 20), good and bad.
 */
#ifndef AUTH_T_LOGINS_H
#define AUTH_T_LOGINS_H

#include "auth/store.h"

struct login_entry {
	uint64_t time;         /* unix seconds */
	const char *ip, *mech; /* words without spaces */
	const char *why;       /* the same; "" it was good */
	const char *label;     /* of the credential */
};

/* One more; the oldest make room. */
void logins_add(struct txn *, const char *login, const struct login_entry *);

/*
 * The n-th last login, 0 the newest.  False when there are not so many.  The
 * entry borrows from buf.
 */
bool logins_get(struct txn *, const char *login, unsigned n,
    char buf[STORE_ROW_MAX], struct login_entry *);

void logins_del(struct txn *, const char *login);

#endif
