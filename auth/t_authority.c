/*
 * t_authority.c - see t_authority.h.
 *
 * authority_put() overwrites; it is called once in the life of a store.
 */
#include "auth/t_authority.h"

static const struct field fields[] = {
	F_STR(authority, key),
	F_STR(authority, certificate),
	F_END,
};

static const struct bytes key = { (const uint8_t *)"authority", 9 };

bool
authority_get(struct authority *a)
{
	return store_get(NULL, TABLE_META, key, fields, a, sizeof(*a));
}

static bool
put(struct txn *txn, void *arg)
{
	store_put(txn, TABLE_META, key, fields, arg);
	return true;
}

bool
authority_put(struct authority *a)
{
	return store_txn(STORE_SYNC, put, a) == V_OK;
}
