/*
 * siphash.c - see siphash.h.  Words are little-endian, as the paper has them.
 */
#include <endian.h>
#include <string.h>

#include "lib/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static void
eat(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

void
siphash(const uint64_t key[2], const uint8_t *in, size_t n, uint64_t out[2])
{
	struct state s = { key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t word, last = (uint64_t)n << 56;
	size_t at;

	for (at = 0; at + 8 <= n; at += 8) {
		memcpy(&word, in + at, 8);
		eat(&s, le64toh(word));
	}
	for (size_t i = 0; at + i < n; i++)
		last |= (uint64_t)in[at + i] << (8 * i);
	eat(&s, last);
	s.v2 ^= 0xee;
	rounds(&s, 4);
	out[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	out[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
