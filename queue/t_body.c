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
t_body_put(struct txn *t, uint64_t id, const uint8_t *data, size_t len)
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

bool
t_body_get(uint64_t id, uint8_t *data, size_t n)
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

void
t_body_del(struct txn *t, uint64_t id, uint64_t size)
{
	uint64_t chunks = (size + BODY_CHUNK - 1) / BODY_CHUNK;
	uint8_t key[12];

	for (uint32_t i = 0; i == 0 || i < chunks; i++) {
		make_key(key, id, i);
		store_del(t, T_BODY, key, sizeof(key));
	}
	store_count(size); /* the log keeps what was deleted */
}
