/*
 * t_grant.c - see t_grant.h.
 *
 * grant_put() overwrites.
 */
#include <string.h>

#include "auth/t_grant.h"
#include "lib/log.h"

static const struct field fields[] = {
	F_STR(grant, by),
	F_U64(grant, created),
	F_END,
};

bool
grant_get(
    struct txn *txn, const char *login, const char *address, struct grant *g)
{
	uint8_t key[STORE_KEY_MAX];

	return store_get(txn, TABLE_GRANT, store_pair(key, login, address),
	    fields, g, sizeof(*g));
}

void
grant_put(struct txn *txn, const char *login, const char *address,
    const struct grant *g)
{
	uint8_t key[STORE_KEY_MAX];

	store_put(txn, TABLE_GRANT, store_pair(key, login, address), fields, g);
}

bool
grant_del(struct txn *txn, const char *login, const char *address)
{
	uint8_t key[STORE_KEY_MAX];

	return store_del(txn, TABLE_GRANT, store_pair(key, login, address));
}

bool
grant_next(struct txn *txn, char login[ADDR_SIZE], char address[ADDR_SIZE],
    struct grant *g)
{
	uint8_t start[STORE_KEY_MAX], key[STORE_KEY_MAX];
	size_t n;

	if (!store_next(txn, TABLE_GRANT, store_pair(start, login, address),
		key, &n, fields, g, sizeof(*g)))
		return false;
	if (!store_unpair(key, n, login, ADDR_SIZE, address, ADDR_SIZE))
		fatal("store: a grant without an owner");
	return true;
}

void
grant_del_all(struct txn *txn, const char *login)
{
	char owner[ADDR_SIZE], address[ADDR_SIZE];
	struct grant g;

	for (;;) {
		strcpy(owner, login);
		address[0] = '\0';
		if (!grant_next(txn, owner, address, &g) ||
		    strcmp(owner, login) != 0)
			return;
		grant_del(txn, login, address);
	}
}

size_t
grant_count(struct txn *txn, const char *login)
{
	char owner[ADDR_SIZE], address[ADDR_SIZE] = "";
	struct grant g;
	size_t n = 0;

	strcpy(owner, login);
	while (grant_next(txn, owner, address, &g) && strcmp(owner, login) == 0)
		n++;
	return n;
}
