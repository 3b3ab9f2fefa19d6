/*
 * store_rows.c - rows in and out; see store.h.
 */
#include <assert.h>
#include <string.h>

#include "auth/store_env.h"
#include "lib/log.h"

static uint8_t raw[STORE_ROW_MAX]; /* the row read last */

/* Sort out what a call said: false for "no such row" and for a deadlock. */
static bool
found(struct txn *txn, int r, const char *what)
{
	if (r == DB_NOTFOUND)
		return false;
	if (txn != NULL && (r == DB_LOCK_DEADLOCK || r == DB_LOCK_NOTGRANTED)) {
		txn->again = true;
		return false;
	}
	check(r, what);
	return true;
}

static DB_TXN *
id_of(const struct txn *txn)
{
	return txn == NULL ? NULL : txn->id;
}

static DBT
borrow(struct bytes b)
{
	/* Berkeley DB only reads what it is given here. */
	return (
	    DBT){ .data = (void *)(uintptr_t)b.data, .size = (uint32_t)b.len };
}

static DBT
room_for(uint8_t *data, size_t size)
{
	return (DBT){
		.data = data, .ulen = (uint32_t)size, .flags = DB_DBT_USERMEM
	};
}

static void
decode(enum table t, const DBT *value, const struct field *fields, void *row,
    size_t row_size)
{
	if (!record_decode(fields, row, row_size, value->data, value->size))
		fatal("store: a row of table %s is damaged", store_name(t));
}

bool
store_get(struct txn *txn, enum table t, struct bytes key,
    const struct field *fields, void *row, size_t row_size)
{
	DBT k = borrow(key), v = room_for(raw, sizeof(raw));

	if (!found(txn, store_dbs[t]->get(store_dbs[t], id_of(txn), &k, &v, 0),
		"read"))
		return false;
	decode(t, &v, fields, row, row_size);
	return true;
}

void
store_put(struct txn *txn, enum table t, struct bytes key,
    const struct field *fields, const void *row)
{
	uint8_t fresh[STORE_ROW_MAX];
	size_t n = record_encode(fields, row, fresh, sizeof(fresh));
	DBT k = borrow(key), v = borrow((struct bytes){ fresh, n });

	assert(n > 0 && txn != NULL && key.len <= STORE_KEY_MAX);
	found(
	    txn, store_dbs[t]->put(store_dbs[t], txn->id, &k, &v, 0), "write");
}

bool
store_del(struct txn *txn, enum table t, struct bytes key)
{
	DBT k = borrow(key);

	assert(txn != NULL);
	return found(
	    txn, store_dbs[t]->del(store_dbs[t], txn->id, &k, 0), "delete");
}

bool
store_next(struct txn *txn, enum table t, struct bytes after, uint8_t *key,
    size_t *n, const struct field *fields, void *row, size_t row_size)
{
	DBT k = room_for(key, STORE_KEY_MAX), v = room_for(raw, sizeof(raw));
	DBC *cursor;
	bool more;

	/* The least string greater than `after` is `after` and a NUL. */
	assert(after.len < STORE_KEY_MAX);
	memmove(key, after.data, after.len);
	key[after.len] = 0;
	k.size = (uint32_t)after.len + 1;
	check(store_dbs[t]->cursor(store_dbs[t], id_of(txn), &cursor, 0),
	    "cursor");
	more = found(txn, cursor->get(cursor, &k, &v, DB_SET_RANGE), "read");
	check(cursor->close(cursor), "cursor");
	if (!more)
		return false;
	*n = k.size;
	if (row != NULL)
		decode(t, &v, fields, row, row_size);
	return true;
}

void
store_rewrite(struct txn *txn, enum table t, const struct field *from,
    const struct field *to, void *row, size_t row_size, void (*fix)(void *row))
{
	uint8_t at[STORE_KEY_MAX], key[STORE_KEY_MAX];
	size_t n = 0, len;

	while (store_next(
	    txn, t, (struct bytes){ at, n }, key, &len, from, row, row_size)) {
		memcpy(at, key, len);
		n = len;
		if (fix != NULL)
			fix(row);
		store_put(txn, t, (struct bytes){ at, n }, to, row);
	}
}

struct bytes
store_pair(uint8_t key[STORE_KEY_MAX], const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);

	assert(na + 1 + nb <= STORE_KEY_MAX - 1);
	memcpy(key, a, na + 1);
	memcpy(key + na + 1, b, nb);
	return (struct bytes){ key, na + 1 + nb };
}

bool
store_unpair(const uint8_t *key, size_t n, char *a, size_t a_size, char *b,
    size_t b_size)
{
	const uint8_t *nul = memchr(key, 0, n);
	size_t na, nb;

	if (nul == NULL)
		return false;
	na = (size_t)(nul - key);
	nb = n - na - 1;
	if (na >= a_size || nb >= b_size)
		return false;
	memcpy(a, key, na + 1);
	memcpy(b, nul + 1, nb);
	b[nb] = '\0';
	return true;
}
