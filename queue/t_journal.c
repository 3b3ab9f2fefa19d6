/*
 * t_journal.c - see t_journal.h.
 */
#include <assert.h>
#include <string.h>

#include "lib/log.h"
#include "queue/t_journal.h"

/* clang-format off */
static const struct field fields[] = {
	F_U64(journal_row, id),
	F_U32(journal_row, event),
	F_U32(journal_row, final),
	F_STR(journal_row, rcpt),
	F_STR(journal_row, account),
	F_STR(journal_row, msgid),
	F_STR(journal_row, detail),
	F_END,
};

static const char *const names[EVENT_KINDS] = {
	[EVENT_NONE]      = "none",
	[EVENT_ACCEPTED]  = "accepted",
	[EVENT_DELIVERED] = "delivered",
	[EVENT_DEFERRED]  = "deferred",
	[EVENT_BOUNCED]   = "bounced",
	[EVENT_DROPPED]   = "dropped",
	[EVENT_DELAYED]   = "delayed",
	[EVENT_HELD]      = "held",
	[EVENT_RELEASED]  = "released",
	[EVENT_RETRIED]   = "retried",
	[EVENT_REMOVED]   = "removed",
	[EVENT_UNCERTAIN] = "uncertain",
	[EVENT_GATHERED]  = "gathered",
};
/* clang-format on */

static void
make_key(uint8_t key[16], uint64_t time, uint64_t seq)
{
	key_u64(key, time);
	key_u64(key + 8, seq);
}

void
t_journal_add(
    struct txn *t, uint64_t time, uint64_t *seq, const struct journal_row *j)
{
	uint8_t key[16], row[sizeof(*j)];
	size_t len = record_encode(fields, j, row, sizeof(row));

	assert(len > 0);
	make_key(key, time, ++*seq);
	store_put(t, T_JOURNAL, key, sizeof(key), row, len);
}

struct walk {
	t_journal_fn *cb;
	void *arg;
};

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct walk *w = arg;
	struct journal_row j;

	(void)key_len;
	if (!record_decode(fields, &j, sizeof(j), row, len))
		fatal("a row of the journal is damaged");
	return w->cb(w->arg, key_get(key, 8), key_get(key + 8, 8), &j);
}

bool
t_journal_walk(uint64_t time, uint64_t seq, t_journal_fn *cb, void *arg)
{
	struct walk w = { cb, arg };
	uint8_t key[16];

	make_key(key, time, seq);
	return store_walk(NULL, T_JOURNAL, key, sizeof(key), on_row, &w);
}

bool
t_journal_get(uint64_t time, uint64_t seq, struct journal_row *j)
{
	uint8_t key[16], row[sizeof(*j)];
	size_t len;

	make_key(key, time, seq);
	if (!store_get(
		NULL, T_JOURNAL, key, sizeof(key), row, sizeof(row), &len))
		return false;
	if (!record_decode(fields, j, sizeof(*j), row, len))
		fatal("a row of the journal is damaged");
	return true;
}

unsigned
t_journal_prune(struct txn *t, uint64_t time, unsigned most)
{
	uint8_t before[8];

	key_u64(before, time);
	return store_prune(t, T_JOURNAL, before, sizeof(before), most);
}

const char *
event_name(uint32_t event)
{
	return names[event < EVENT_KINDS ? event : EVENT_NONE];
}
