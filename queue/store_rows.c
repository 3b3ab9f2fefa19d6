/*
 * store_rows.c - rows in and out; see store.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store_env.h"

static uint64_t written;

bool
store_get(struct txn *t, enum table table, const void *key, size_t key_len,
    void *row, size_t size, size_t *len)
{
	DBT k = dbt(key, key_len), d = dbt_room(row, size);
	int ret;

	ret = store_dbs[table]->get(
	    store_dbs[table], t ? t->db : NULL, &k, &d, 0);
	if (ret == DB_NOTFOUND)
		return false;
	if (ret != 0)
		store_fail("table", ret);
	*len = d.size;
	return true;
}

void
store_put(struct txn *t, enum table table, const void *key, size_t key_len,
    const void *row, size_t len)
{
	DBT k = dbt(key, key_len), d = dbt(row, len);
	int ret;

	assert(key_len <= STORE_KEY_MAX && len <= STORE_ROW_MAX);
	if ((ret = store_dbs[table]->put(store_dbs[table], t->db, &k, &d, 0)) !=
	    0)
		store_fail("table", ret);
	written += key_len + len + 64;
}

bool
store_del(struct txn *t, enum table table, const void *key, size_t key_len)
{
	DBT k = dbt(key, key_len);
	int ret;

	ret = store_dbs[table]->del(store_dbs[table], t->db, &k, 0);
	if (ret == DB_NOTFOUND)
		return false;
	if (ret != 0)
		store_fail("table", ret);
	written += 128;
	return true;
}

bool
store_walk(struct txn *t, enum table table, const void *key, size_t key_len,
    store_row_fn *cb, void *arg)
{
	static uint8_t keys[STORE_KEY_MAX], *row;
	DBT k, d;
	DBC *c;
	bool stopped = false;
	int ret;

	if (row == NULL && (row = malloc(STORE_ROW_MAX)) == NULL)
		abort();
	assert(key_len <= sizeof(keys));
	if (key_len > 0)
		memcpy(keys, key, key_len);
	k = dbt_room(keys, sizeof(keys));
	k.size = (uint32_t)key_len;
	d = dbt_room(row, STORE_ROW_MAX);
	ret =
	    store_dbs[table]->cursor(store_dbs[table], t ? t->db : NULL, &c, 0);
	if (ret != 0)
		store_fail("table", ret);
	ret = c->get(c, &k, &d, key_len > 0 ? DB_SET_RANGE : DB_FIRST);
	while (ret == 0 && !stopped) {
		if (store_is_pin(&k))
			break; /* the last one */
		stopped = !cb(arg, keys, k.size, row, d.size);
		if (!stopped)
			ret = c->get(c, &k, &d, DB_NEXT);
	}
	if (ret != 0 && ret != DB_NOTFOUND)
		store_fail("table", ret);
	if ((ret = c->close(c)) != 0)
		store_fail("table", ret);
	return stopped;
}

unsigned
store_prune(struct txn *t, enum table table, const void *before, size_t len,
    unsigned most)
{
	uint8_t key[STORE_KEY_MAX];
	DBT k = dbt_room(key, sizeof(key)), d = dbt_room(NULL, 0);
	unsigned n = 0;
	DBC *c;
	int ret;

	d.flags |= DB_DBT_PARTIAL; /* nothing of the row */
	ret = store_dbs[table]->cursor(store_dbs[table], t->db, &c, 0);
	if (ret != 0)
		store_fail("table", ret);
	while (n < most && (ret = c->get(c, &k, &d, DB_NEXT)) == 0 &&
	    k.size >= len && memcmp(key, before, len) < 0 &&
	    (ret = c->del(c, 0)) == 0)
		n++;
	if (ret != 0 && ret != DB_NOTFOUND)
		store_fail("table", ret);
	if ((ret = c->close(c)) != 0)
		store_fail("table", ret);
	written += (uint64_t)n * 128;
	return n;
}

uint64_t
store_written(void)
{
	return written;
}

void
store_count(uint64_t bytes)
{
	written += bytes;
}
