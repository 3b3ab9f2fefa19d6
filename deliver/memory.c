/*
 * memory.c - see memory.h.
 *
 * A table of fixed size: a pair may lie in any of the places of its row, and
 * drives out the one that came there first.  Recipients are kept as a hash
 * under a random key, so that no sender can make two that are taken for one:
 * the chance is under 2^-50, within one message.
 */
#include <stdlib.h>

#include "deliver/memory.h"

#define ROWS   2048
#define PLACES 8
#define PRIME  ((UINT64_C(1) << 61) - 1)

struct pair {
	uint64_t id; /* 0: none */
	uint64_t rcpt;
};

static struct pair table[ROWS][PLACES];
static unsigned char oldest[ROWS];
static uint64_t key;

/* A polynomial over the bytes, at a secret point. */
static uint64_t
hash(const char *s)
{
	uint64_t h = 1;

	while (key == 0)
		arc4random_buf(&key, sizeof(key)), key %= PRIME;
	for (; *s != '\0'; s++)
		h = (uint64_t)(((unsigned __int128)h * key +
				   (unsigned char)*s) %
		    PRIME);
	return h;
}

static unsigned
row(uint64_t id, uint64_t rcpt)
{
	return (unsigned)((id * UINT64_C(0x9e3779b97f4a7c15) ^ rcpt) >> 32) %
	    ROWS;
}

void
memory_add(uint64_t id, const char *rcpt)
{
	uint64_t h = hash(rcpt);
	unsigned r = row(id, h);

	table[r][oldest[r]] = (struct pair){ id, h };
	oldest[r] = (unsigned char)((oldest[r] + 1) % PLACES);
}

bool
memory_has(uint64_t id, const char *rcpt)
{
	uint64_t h = hash(rcpt);
	const struct pair *p = table[row(id, h)];

	for (int i = 0; i < PLACES; i++)
		if (p[i].id == id && p[i].rcpt == h)
			return true;
	return false;
}
