/*
 * t_due.c - see t_due.h.
 */
#include <assert.h>
#include <string.h>

#include "lib/fnv.h"
#include "lib/log.h"
#include "lib/record.h"
#include "queue/t_due.h"

/* clang-format off */
static const struct field fields[] = {
	F_U64(due_row, account),
	F_U64(due_row, domain),
	F_U32(due_row, marks),
	F_END,
};
/* clang-format on */

static void
make_key(uint8_t key[20], const struct due_key *k)
{
	key_u64(key, k->time);
	key_u64(key + 8, k->id);
	key_u32(key + 16, k->n);
}

void
t_due_put(struct txn *t, const struct due_key *k, const struct due_row *d)
{
	uint8_t key[20], row[20];
	size_t len = record_encode(fields, d, row, sizeof(row));

	assert(len == sizeof(row));
	make_key(key, k);
	store_put(t, T_DUE, key, sizeof(key), row, len);
}

bool
t_due_del(struct txn *t, const struct due_key *k)
{
	uint8_t key[20];

	make_key(key, k);
	return store_del(t, T_DUE, key, sizeof(key));
}

struct walk {
	t_due_fn *cb;
	void *arg;
};

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct walk *w = arg;
	struct due_key k = { key_get(key, 8), key_get(key + 8, 8),
		(uint32_t)key_get(key + 16, 4) };
	struct due_row d;

	(void)key_len;
	if (!record_decode(fields, &d, sizeof(d), row, len))
		fatal("a row of the schedule is damaged");
	return w->cb(w->arg, &k, &d);
}

bool
t_due_walk(const struct due_key *from, t_due_fn *cb, void *arg)
{
	struct walk w = { cb, arg };
	uint8_t key[20];

	make_key(key, from);
	return store_walk(NULL, T_DUE, key, sizeof(key), on_row, &w);
}

int
due_compare(const struct due_key *a, const struct due_key *b)
{
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return 0;
}

/* Whoever finds two names with one hash makes them share a wait. */
uint64_t
hash64(const char *name)
{
	return fnv_add(FNV_BASIS, name, strlen(name));
}
