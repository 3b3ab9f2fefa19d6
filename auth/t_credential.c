/*
 * t_credential.c - see t_credential.h.
 *
 * credential_put() overwrites.
 */
#include <string.h>

#include "auth/t_credential.h"

static const struct field fields[] = {
	F_U32(credential, kind),
	F_STR(credential, hash),
	F_U64(credential, created),
	F_U64(credential, last_use),
	F_STR(credential, last_ip),
	F_END,
};

bool
credential_get(
    struct txn *txn, const char *login, const char *label, struct credential *c)
{
	uint8_t key[STORE_KEY_MAX];

	return store_get(txn, TABLE_CREDENTIAL, store_pair(key, login, label),
	    fields, c, sizeof(*c));
}

void
credential_put(struct txn *txn, const char *login, const char *label,
    const struct credential *c)
{
	uint8_t key[STORE_KEY_MAX];

	store_put(
	    txn, TABLE_CREDENTIAL, store_pair(key, login, label), fields, c);
}

void
credential_del_all(struct txn *txn, const char *login)
{
	uint8_t start[STORE_KEY_MAX], key[STORE_KEY_MAX];
	char owner[ADDR_SIZE], label[CREDENTIAL_LABEL];
	struct bytes from = store_pair(start, login, "");
	size_t n;

	while (
	    store_next(txn, TABLE_CREDENTIAL, from, key, &n, NULL, NULL, 0) &&
	    store_unpair(key, n, owner, sizeof(owner), label, sizeof(label)) &&
	    strcmp(owner, login) == 0)
		store_del(txn, TABLE_CREDENTIAL, (struct bytes){ key, n });
}
