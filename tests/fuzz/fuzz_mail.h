/*
 * fuzz_mail.h - what the fuzz targets of mail/ share.
 */
#ifndef FUZZ_MAIL_H
#define FUZZ_MAIL_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/*
 * The length of the next piece when n bytes are left: as the seed has it,
 * often small, sometimes nothing, sometimes all.
 */
static inline size_t
next_cut(uint32_t *seed, size_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	switch (*seed >> 29) {
	case 0:
		return n;
	case 1:
	case 2:
		return (*seed >> 8) % (n + 1);
	default:
		return (*seed >> 8) % (n < 8 ? n + 1 : 8);
	}
}

/* A seed made of the input, so that no byte of it is lost to parsing. */
static inline uint32_t
seed_of(const uint8_t *in, size_t n)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < n; i++)
		h = (h ^ in[i]) * 16777619;
	return h;
}

/* Bytes in memory of just their size, for the sanitizer to see. */
static inline char *
exact(const char *s, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	assert(copy != NULL);
	memcpy(copy, s, n);
	return copy;
}

/* Room of just this size. */
static inline char *
room(size_t n)
{
	char *p = malloc(n > 0 ? n : 1);

	assert(p != NULL);
	return p;
}

#endif
