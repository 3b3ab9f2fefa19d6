/*
 * t_legacy.c - see t_legacy.h.
 *
 * legacy_put() overwrites.  A table of its own, and no field of the account:
 * a postern that does not know it lets nobody in.
 */
#include <string.h>

#include "auth/t_legacy.h"

static const struct field fields[] = {
	F_STR(legacy, by),
	F_U64(legacy, created),
	F_END,
};

static struct bytes
key_of(const char *login)
{
	return (struct bytes){ (const uint8_t *)login, strlen(login) };
}

bool
legacy_get(struct txn *txn, const char *login, struct legacy *l)
{
	return store_get(
	    txn, TABLE_LEGACY, key_of(login), fields, l, sizeof(*l));
}

void
legacy_put(struct txn *txn, const char *login, const struct legacy *l)
{
	store_put(txn, TABLE_LEGACY, key_of(login), fields, l);
}

bool
legacy_del(struct txn *txn, const char *login)
{
	return store_del(txn, TABLE_LEGACY, key_of(login));
}
