/*
 * t_dkim.h - table dkim: domain, selector -> a key that signs its mail.
 *
 * dkim_put() overwrites.  The private key is in the row and nowhere else.
 */
#ifndef AUTH_T_DKIM_H
#define AUTH_T_DKIM_H

#include "auth/store.h"

struct dkim_row {
	uint32_t algorithm; /* enum dkim_algorithm */
	uint32_t state;     /* enum dkim_state */
	uint64_t created;   /* unix seconds */
	uint64_t changed;   /* of the state */
	char by[128];
	char secret[1720]; /* PKCS #8, DER, base64; RSA of 2,048 bits at most */
};

/* False when there is none. */
bool dkim_get(
    struct txn *, const char *domain, const char *selector, struct dkim_row *);
/* Overwrites. */
void dkim_put(struct txn *, const char *domain, const char *selector,
    const struct dkim_row *);
/* False when there was none. */
bool dkim_del(struct txn *, const char *domain, const char *selector);
/* The key that comes next behind (domain, selector), both replaced; as
 * grant_next(). */
bool dkim_next(
    struct txn *, char domain[256], char selector[SELECTOR], struct dkim_row *);

#endif
