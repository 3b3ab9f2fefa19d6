/*
 * t_import.c - see t_import.h.
 */
#include <assert.h>
#include <string.h>

#include "auth/t_import.h"
#include "ipc/messages.h"

#define KEY 8

static const struct field head_fields[] = {
	F_STR(import_head, by),
	F_U32(import_head, flags),
	F_U64(import_head, now),
	F_END,
};

struct pack {
	struct bytes items;
};

static const struct field pack_fields[] = {
	F_BYTES(pack, items, IMPORT_PACK),
	F_END,
};

static_assert(sizeof(struct msg_item) + 64 + 2 <= IMPORT_PACK,
    "every item fits into a pack");

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
import_pack_put(struct txn *txn, uint64_t n, struct bytes pack)
{
	uint8_t key[STORE_KEY_MAX];
	struct pack p = { pack };

	store_put(txn, TABLE_IMPORT, key_of(key, n), pack_fields, &p);
}

bool
import_pack_next(struct txn *txn, uint64_t *n, struct bytes *pack)
{
	uint8_t key[STORE_KEY_MAX];
	struct pack p;
	size_t len;

	if (!store_next(txn, TABLE_IMPORT, key_of(key, *n), key, &len,
		pack_fields, &p, sizeof(p)))
		return false;
	*n = 0;
	for (size_t k = 0; k < len; k++)
		*n = *n << 8 | key[k];
	*pack = p.items;
	return true;
}

void
import_pack_del(struct txn *txn, uint64_t n)
{
	uint8_t key[STORE_KEY_MAX];

	store_del(txn, TABLE_IMPORT, key_of(key, n));
}
