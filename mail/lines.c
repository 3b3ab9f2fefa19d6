/*
 * lines.c - the one pass over bulk text.
 *
 * Every octet of every message comes by here, twice.  Sixteen are judged at
 * a time, in vectors that compilers know on every processor.
 */
#include <stdint.h>
#include <string.h>

#include "mail/lines.h"

typedef signed char block __attribute__((vector_size(16)));

static inline block
load(const char *s)
{
	block b;

	memcpy(&b, s, sizeof(b));
	return b;
}

/* Is the top bit set in any of its bytes? */
static inline bool
any_top_bit(block b)
{
	uint64_t half[2];

	memcpy(half, &b, sizeof(half));
	return ((half[0] | half[1]) & UINT64_C(0x8080808080808080)) != 0;
}

bool
lines_clean(const char *s, size_t n, bool *eight_bit)
{
	block high = { 0 }, bad = { 0 };
	char top = 0;
	bool odd = false;
	size_t i = 0;

	for (; i + sizeof(block) < n; i += sizeof(block)) {
		block here = load(s + i), next = load(s + i + 1);

		high |= here;
		bad |= (here == 0) | ((here == '\r') ^ (next == '\n'));
	}
	for (; i < n; i++) {
		top |= s[i];
		odd |= s[i] == '\0';
		if (i + 1 < n)
			odd |= (s[i] == '\r') != (s[i + 1] == '\n');
	}
	if (any_top_bit(high) || (top & 0x80))
		*eight_bit = true;
	return !odd && !any_top_bit(bad);
}

bool
lines_eight_bit(const char *s, size_t n)
{
	block high = { 0 };
	char top = 0;
	size_t i = 0;

	for (; i + sizeof(block) <= n; i += sizeof(block))
		high |= load(s + i);
	for (; i < n; i++)
		top |= s[i];
	return any_top_bit(high) || (top & 0x80);
}
