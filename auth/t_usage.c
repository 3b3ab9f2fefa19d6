/*
 * t_usage.c - see t_usage.h.
 */
#include <string.h>

#include "auth/t_usage.h"

#define METER(l) F_U64(usage, meter[l].used), F_U64(usage, meter[l].at_ms)

static const struct field fields[] = {
	METER(LIMIT_HOUR),
	METER(LIMIT_DAY),
	METER(LIMIT_MESSAGES_HOUR),
	METER(LIMIT_MESSAGES_DAY),
	METER(LIMIT_NEW),
	F_U32(usage, known),
	F_END,
};

static struct bytes
key_of(const char *key)
{
	return (struct bytes){ (const uint8_t *)key, strlen(key) };
}

void
usage_get(struct txn *txn, const char *key, struct usage *u)
{
	if (!store_get(txn, TABLE_USAGE, key_of(key), fields, u, sizeof(*u)))
		memset(u, 0, sizeof(*u));
}

void
usage_put(struct txn *txn, const char *key, const struct usage *u)
{
	store_put(txn, TABLE_USAGE, key_of(key), fields, u);
}

void
usage_del_all(struct txn *txn, const char *login)
{
	uint8_t key[STORE_KEY_MAX];
	size_t n, k = strlen(login);

	store_del(txn, TABLE_USAGE, key_of(login));
	/* '/' is the separator, and no domain has one. */
	memcpy(key, login, k);
	key[k] = '/';
	n = k + 1;
	while (store_next(txn, TABLE_USAGE, (struct bytes){ key, n }, key, &n,
		   NULL, NULL, 0) &&
	    n > k && memcmp(key, login, k) == 0 && key[k] == '/')
		store_del(txn, TABLE_USAGE, (struct bytes){ key, n });
}
