/*
 * t_message.c - see t_message.h.
 */
#include "lib/log.h"
#include "queue/t_message.h"

/* clang-format off */
static const struct field fields[] = {
	F_STR(message_row, account),
	F_STR(message_row, credential),
	F_STR(message_row, sender),
	F_STR(message_row, ip),
	F_U32(message_row, port),
	F_STR(message_row, tls),
	F_STR(message_row, mech),
	F_STR(message_row, msgid),
	F_U32(message_row, flags),
	F_U64(message_row, size),
	F_U32(message_row, body),
	F_U64(message_row, place),
	F_U64(message_row, accepted),
	F_U32(message_row, rcpts),
	F_U32(message_row, jobs),
	F_U32(message_row, delivered),
	F_U32(message_row, bounced),
	F_U32(message_row, dropped),
	F_U32(message_row, held),
	F_STR(message_row, options.envid),
	F_U64(message_row, options.hold_until),
	F_U64(message_row, options.by),
	F_U32(message_row, options.priority),
	F_BYTES(message_row, added, ADDED_MAX),
	F_BYTES(message_row, body_hash, BODY_HASH),
	F_END,
};
/* clang-format on */

void
t_message_put(struct txn *t, uint64_t id, const struct message_row *m)
{
	uint8_t key[8], row[sizeof(*m) + ADDED_MAX + BODY_HASH];
	size_t len = record_encode(fields, m, row, sizeof(row));

	if (len == 0)
		fatal("a message row is too long");
	key_u64(key, id);
	store_put(t, T_MESSAGE, key, sizeof(key), row, len);
}

static void
decode(struct message_row *m, const uint8_t *row, size_t len)
{
	if (!record_decode(fields, m, sizeof(*m), row, len))
		fatal("a message row is damaged");
}

bool
t_message_get(struct txn *t, uint64_t id, struct message_row *m, uint8_t *buf)
{
	uint8_t key[8];
	size_t len;

	key_u64(key, id);
	if (!store_get(
		t, T_MESSAGE, key, sizeof(key), buf, STORE_ROW_MAX, &len))
		return false;
	decode(m, buf, len);
	return true;
}

bool
t_message_del(struct txn *t, uint64_t id)
{
	uint8_t key[8];

	key_u64(key, id);
	return store_del(t, T_MESSAGE, key, sizeof(key));
}

bool
t_message_exists(uint64_t id)
{
	static uint8_t row[sizeof(struct message_row) + ADDED_MAX + BODY_HASH];
	uint8_t key[8];
	size_t len;

	key_u64(key, id);
	return store_get(
	    NULL, T_MESSAGE, key, sizeof(key), row, sizeof(row), &len);
}

struct walk {
	t_message_fn *cb;
	void *arg;
};

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct walk *w = arg;
	struct message_row m;

	(void)key_len;
	decode(&m, row, len);
	return w->cb(w->arg, key_get(key, 8), &m);
}

bool
t_message_walk(uint64_t id, t_message_fn *cb, void *arg)
{
	struct walk w = { cb, arg };
	uint8_t key[8];

	key_u64(key, id);
	return store_walk(NULL, T_MESSAGE, key, sizeof(key), on_row, &w);
}
