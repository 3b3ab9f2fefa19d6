/*
 * t_digest.c - see t_digest.h.
 */
#include <assert.h>

#include "lib/log.h"
#include "lib/record.h"
#include "queue/t_digest.h"

/* clang-format off */
static const struct field fields[] = {
	F_STR(digest_row, sender),
	F_STR(digest_row, account),
	F_U32(digest_row, flags),
	F_U64(digest_row, due),
	F_U64(digest_row, id),
	F_U64(digest_row, arrived),
	F_STR(digest_row, msgid),
	F_STR(digest_row, envid),
	F_STR(digest_row, address),
	F_STR(digest_row, orcpt),
	F_U32(digest_row, answer.code),
	F_STR(digest_row, answer.status),
	F_STR(digest_row, answer.mx),
	F_STR(digest_row, answer.text),
	F_U64(digest_row, answer.when),
	F_END,
};
/* clang-format on */

static void
make_key(uint8_t key[16], const struct digest_key *k)
{
	key_u64(key, k->heap);
	key_u64(key + 8, k->seq);
}

void
t_digest_put(
    struct txn *t, const struct digest_key *k, const struct digest_row *d)
{
	uint8_t key[16], row[sizeof(*d)];
	size_t len = record_encode(fields, d, row, sizeof(row));

	assert(len > 0);
	make_key(key, k);
	store_put(t, T_DIGEST, key, sizeof(key), row, len);
}

void
t_digest_del(struct txn *t, const struct digest_key *k)
{
	uint8_t key[16];

	make_key(key, k);
	store_del(t, T_DIGEST, key, sizeof(key));
}

struct walk {
	t_digest_fn *cb;
	void *arg;
};

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct walk *w = arg;
	struct digest_key k = { key_get(key, 8), key_get(key + 8, 8) };
	static struct digest_row d;

	(void)key_len;
	if (!record_decode(fields, &d, sizeof(d), row, len))
		fatal("a failure that waits to be told is damaged");
	return w->cb(w->arg, &k, &d);
}

void
t_digest_walk(const struct digest_key *from, t_digest_fn *cb, void *arg)
{
	struct walk w = { cb, arg };
	uint8_t key[16];

	make_key(key, from);
	store_walk(NULL, T_DIGEST, key, sizeof(key), on_row, &w);
}
