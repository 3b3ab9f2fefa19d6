/*
 * t_index.c - see t_index.h.
 */
#include <assert.h>
#include <string.h>

#include "lib/fnv.h"
#include "lib/log.h"
#include "queue/t_index.h"

#define KEY_SIZE   28
#define EVENT_SIZE 16 /* time, seq: the end of a key, and each behind it */

static const char mark_key[] = "indexed";

uint64_t
index_hash(enum index_kind kind, const void *name, size_t n)
{
	uint8_t first = (uint8_t)kind;

	return fnv_add(fnv_add(FNV_BASIS, &first, 1), name, n);
}

uint32_t
index_period(uint64_t time)
{
	return (uint32_t)(time / INDEX_PERIOD_MS);
}

static void
put_event(uint8_t to[EVENT_SIZE], const struct index_key *k)
{
	key_u64(to, k->time);
	key_u64(to + 8, k->seq);
}

int
index_compare(const void *a, const void *b)
{
	const struct index_key *s = a, *t = b;

	if (s->period != t->period)
		return s->period < t->period ? -1 : 1;
	if (s->hash != t->hash)
		return s->hash < t->hash ? -1 : 1;
	return s->seq < t->seq ? -1 : s->seq > t->seq;
}

size_t
t_index_span(const struct index_key *k, size_t n)
{
	size_t most = n < INDEX_ROW ? n : INDEX_ROW, i = 1;

	while (i < most && k[i].hash == k->hash && k[i].period == k->period)
		i++;
	return i;
}

static void
put_row(struct txn *t, const struct index_key *k, size_t n)
{
	uint8_t key[KEY_SIZE], row[(INDEX_ROW - 1) * EVENT_SIZE];

	assert(n >= 1 && n <= INDEX_ROW);
	key_u32(key, k->period);
	key_u64(key + 4, k->hash);
	put_event(key + 12, k);
	for (size_t i = 1; i < n; i++)
		put_event(row + (i - 1) * EVENT_SIZE, &k[i]);
	store_put(t, T_INDEX, key, sizeof(key), row, (n - 1) * EVENT_SIZE);
}

void
t_index_put(struct txn *t, const struct index_key *k, size_t n)
{
	for (size_t span; n > 0; k += span, n -= span) {
		span = t_index_span(k, n);
		put_row(t, k, span);
	}
}

struct walk {
	uint8_t prefix[12];
	t_index_fn *cb;
	void *arg;
};

static bool
tell(struct walk *w, const uint8_t event[EVENT_SIZE])
{
	return w->cb(w->arg, key_get(event, 8), key_get(event + 8, 8));
}

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct walk *w = arg;

	if (key_len != KEY_SIZE ||
	    memcmp(key, w->prefix, sizeof(w->prefix)) != 0)
		return false;
	if (!tell(w, key + 12))
		return false;
	for (; len >= EVENT_SIZE; row += EVENT_SIZE, len -= EVENT_SIZE)
		if (!tell(w, row))
			return false;
	return true;
}

void
t_index_walk(uint32_t period, uint64_t hash, t_index_fn *cb, void *arg)
{
	struct walk w = { .cb = cb, .arg = arg };

	key_u32(w.prefix, period);
	key_u64(w.prefix + 4, hash);
	store_walk(NULL, T_INDEX, w.prefix, sizeof(w.prefix), on_row, &w);
}

unsigned
t_index_prune(struct txn *t, uint32_t period, unsigned most)
{
	uint8_t before[4];

	key_u32(before, period);
	return store_prune(t, T_INDEX, before, sizeof(before), most);
}

void
t_index_mark_put(struct txn *t, uint64_t time, uint64_t seq)
{
	uint8_t row[16];

	key_u64(row, time);
	key_u64(row + 8, seq);
	store_put(t, T_META, mark_key, sizeof(mark_key) - 1, row, sizeof(row));
}

void
t_index_mark_get(uint64_t *time, uint64_t *seq)
{
	uint8_t row[16];
	size_t len;

	*time = *seq = 0;
	if (!store_get(NULL, T_META, mark_key, sizeof(mark_key) - 1, row,
		sizeof(row), &len))
		return;
	if (len != sizeof(row))
		fatal("the mark of the journal's index is damaged");
	*time = key_get(row, 8);
	*seq = key_get(row + 8, 8);
}
