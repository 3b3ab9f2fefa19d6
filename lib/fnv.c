/*
 * fnv.c - see fnv.h.
 */
#include "lib/fnv.h"

uint64_t
fnv_add(uint64_t hash, const void *octets, size_t n)
{
	const uint8_t *p = octets;

	for (; n > 0; n--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}
