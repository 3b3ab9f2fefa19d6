/*
 * verified.c - see verified.h.
 */
#include <stddef.h>

#include "auth/lru.h"
#include "auth/verified.h"

#define ENTRIES 4096
#define LIFE_MS (10 * 60 * 1000)

struct entry {
	int64_t until_ms;
};

static struct lru *entries;

bool
verified_find(const unsigned char digest[DIGEST_SIZE], int64_t now_ms)
{
	struct entry *e;

	if (entries == NULL)
		return false;
	e = lru_find(entries, digest, DIGEST_SIZE);
	if (e == NULL)
		return false;
	if (e->until_ms > now_ms)
		return true;
	lru_remove(entries, digest, DIGEST_SIZE);
	return false;
}

void
verified_add(const unsigned char digest[DIGEST_SIZE], int64_t now_ms)
{
	struct entry *e;

	if (entries == NULL)
		entries = lru_new(ENTRIES, sizeof(*e), NULL);
	e = lru_add(entries, digest, DIGEST_SIZE);
	e->until_ms = now_ms + LIFE_MS;
}

void
verified_close(void)
{
	lru_free(entries);
	entries = NULL;
}
