/*
 * t_body.c - see t_body.h.
 */
#include <assert.h>
#include <string.h>

#include "queue/t_body.h"

static void
make_key(uint8_t key[12], uint64_t id, uint32_t chunk)
{
	key_u64(key, id);
	key_u32(key + 8, chunk);
}

void
t_body_put_rows(struct txn *t, uint64_t id, const uint8_t *data, size_t len)
{
	uint8_t key[12];
	size_t n;

	assert(len <= BODY_ROWS_MAX);
	for (uint32_t chunk = 0; chunk == 0 || len > 0; chunk++) {
		n = len < BODY_CHUNK ? len : BODY_CHUNK;
		make_key(key, id, chunk);
		store_put(t, T_BODY, key, sizeof(key), data, n);
		data += n;
		len -= n;
	}
}

static bool
get_rows(uint64_t id, uint8_t *data, size_t n)
{
	static uint8_t chunk[BODY_CHUNK];
	uint8_t key[12];
	size_t len;

	for (uint32_t i = 0; n > 0; i++) {
		make_key(key, id, i);
		if (!store_get(NULL, T_BODY, key, sizeof(key), chunk,
			sizeof(chunk), &len))
			return false;
		if (len > n)
			len = n;
		if (len == 0)
			return false;
		memcpy(data, chunk, len);
		data += len;
		n -= len;
	}
	return true;
}

struct body_at
t_body_put(struct txn *t, uint64_t id, const uint8_t *data, size_t len)
{
	struct body_at at = { BODY_ROWS, 0 };

	if (len > LOG_BODY_MAX) {
		t_body_put_rows(t, id, data, len);
	} else {
		at.kind = BODY_LOG;
		at.place = store_log_put(id, data, len);
	}
	return at;
}

bool
t_body_get(struct body_at at, uint64_t id, uint8_t *data, size_t n)
{
	assert(at.kind != BODY_FILE);
	return at.kind == BODY_LOG ? store_log_get(at.place, id, data, n)
				   : get_rows(id, data, n);
}

void
t_body_del(struct txn *t, struct body_at at, uint64_t id, uint64_t size)
{
	uint64_t chunks = (size + BODY_CHUNK - 1) / BODY_CHUNK;
	uint8_t key[12];

	assert(at.kind != BODY_FILE);
	if (at.kind == BODY_LOG)
		return; /* it goes with its part of the log */
	for (uint32_t i = 0; i == 0 || i < chunks; i++) {
		make_key(key, id, i);
		store_del(t, T_BODY, key, sizeof(key));
	}
	/* The log keeps what was deleted, and the pages that got free. */
	store_count(2 * size);
}

bool
t_body_move(struct txn *t, struct body_at *at, uint64_t id, uint64_t size)
{
	static uint8_t body[LOG_BODY_MAX];

	assert(at->kind == BODY_LOG);
	if (size > sizeof(body) || !store_log_get(at->place, id, body, size))
		return false;
	t_body_put_rows(t, id, body, size);
	*at = (struct body_at){ BODY_ROWS, 0 };
	return true;
}
