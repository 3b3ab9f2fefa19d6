/*
 * t_import.c - see t_import.h.
 */
#include <string.h>

#include "auth/t_import.h"

#define KEY 8

static const struct field head_fields[] = {
	F_STR(import_head, by),
	F_U32(import_head, flags),
	F_U64(import_head, now),
	F_END,
};

/* Big-endian, so that the order of bytes is that of numbers. */
static struct bytes
key_of(uint8_t key[STORE_KEY_MAX], uint64_t n)
{
	for (int i = KEY; i-- > 0; n >>= 8)
		key[i] = (uint8_t)n;
	return (struct bytes){ key, KEY };
}

bool
import_head_get(struct txn *txn, struct import_head *h)
{
	uint8_t key[STORE_KEY_MAX];

	return store_get(
	    txn, TABLE_IMPORT, key_of(key, 0), head_fields, h, sizeof(*h));
}

void
import_head_put(struct txn *txn, const struct import_head *h)
{
	uint8_t key[STORE_KEY_MAX];

	store_put(txn, TABLE_IMPORT, key_of(key, 0), head_fields, h);
}

void
import_head_del(struct txn *txn)
{
	uint8_t key[STORE_KEY_MAX];

	store_del(txn, TABLE_IMPORT, key_of(key, 0));
}

void
import_item_put(struct txn *txn, uint64_t n, const struct msg_item *i)
{
	uint8_t key[STORE_KEY_MAX];
	size_t size;

	store_put(
	    txn, TABLE_IMPORT, key_of(key, n), msg_fields(MSG_ITEM, &size), i);
}

bool
import_item_next(struct txn *txn, uint64_t *n, struct msg_item *i)
{
	uint8_t key[STORE_KEY_MAX];
	const struct field *fields;
	size_t len, size;

	fields = msg_fields(MSG_ITEM, &size);
	if (!store_next(
		txn, TABLE_IMPORT, key_of(key, *n), key, &len, fields, i, size))
		return false;
	*n = 0;
	for (size_t k = 0; k < len; k++)
		*n = *n << 8 | key[k];
	return true;
}

void
import_item_del(struct txn *txn, uint64_t n)
{
	uint8_t key[STORE_KEY_MAX];

	store_del(txn, TABLE_IMPORT, key_of(key, n));
}
