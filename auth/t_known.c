/*
 * t_known.c - see t_known.h.
 *
 * The key is the login, a NUL and the hash: an account's rows lie together.
 */
#include <string.h>

#include "auth/t_known.h"

struct known {
	uint32_t day;
};

static const struct field fields[] = {
	F_U32(known, day),
	F_END,
};

static struct bytes
key_of(uint8_t key[STORE_KEY_MAX], const char *login,
    const uint8_t hash[RCPT_HASH])
{
	size_t n = strlen(login) + 1;

	memcpy(key, login, n);
	memcpy(key + n, hash, RCPT_HASH);
	return (struct bytes){ key, n + RCPT_HASH };
}

uint32_t
known_day(struct txn *txn, const char *login, const uint8_t hash[RCPT_HASH])
{
	uint8_t key[STORE_KEY_MAX];
	struct known k;

	if (!store_get(txn, TABLE_KNOWN, key_of(key, login, hash), fields, &k,
		sizeof(k)))
		return 0;
	return k.day;
}

/* Delete the first row of the account behind this key; false when it is the
 * last. */
static bool
del_next(struct txn *txn, const char *login, struct bytes after)
{
	uint8_t key[STORE_KEY_MAX];
	size_t n, k = strlen(login) + 1;

	return store_next(txn, TABLE_KNOWN, after, key, &n, NULL, NULL, 0) &&
	    n > k && memcmp(key, login, k) == 0 &&
	    store_del(txn, TABLE_KNOWN, (struct bytes){ key, n });
}

void
known_put(struct txn *txn, const char *login, const uint8_t hash[RCPT_HASH],
    uint32_t day, uint32_t *count)
{
	uint8_t key[STORE_KEY_MAX];
	struct known k = { day };
	struct bytes at = key_of(key, login, hash);
	struct bytes first = { at.data, strlen(login) + 1 };

	if (known_day(txn, login, hash) == 0) {
		if (*count < KNOWN_MOST)
			++*count;
		else if (!del_next(txn, login, at))
			del_next(txn, login, first);
	}
	store_put(txn, TABLE_KNOWN, at, fields, &k);
}

void
known_del_all(struct txn *txn, const char *login)
{
	struct bytes first = { (const uint8_t *)login, strlen(login) + 1 };

	while (del_next(txn, login, first))
		;
}
