/*
 * store_sum.c - see store_sum.h.
 *
 * The sum is a polynomial in 33 modulo 2^32, so that its parts can be computed
 * side by side: octets to pairs, pairs to fours, and every 64 octets one step
 * of sixteen sums, each of every sixteenth four.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "queue/store_sum.h"

#define BLOCK 64

static uint32_t
plainly(uint32_t h, const uint8_t *p, size_t n)
{
	while (n-- > 0)
		h = h * 33 + *p++;
	return h;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

#define P4  (33U * 33 * 33 * 33)
#define P16 (P4 * P4 * P4 * P4)
#define P64 (P16 * P16 * P16 * P16)

typedef uint16_t pairs __attribute__((vector_size(16)));
typedef uint32_t fours __attribute__((vector_size(16)));

/* Of 16 octets, the sums of each four. */
static inline fours
sum_fours(const uint8_t *p)
{
	pairs two;
	fours four, first;

	memcpy(&two, p, sizeof(two));
	two = (two & 0xff) * 33 + (two >> 8); /* below 2^14 */
	memcpy(&four, &two, sizeof(four));
	first = four & 0xffff;
	/* times 33 * 33 */
	return (first << 10) + (first << 6) + first + (four >> 16);
}

static uint32_t
sum_blocks(const uint8_t *p, size_t blocks)
{
	fours sums[4] = { { 0 } };
	uint32_t h = 0;

	for (; blocks > 0; blocks--)
		for (int i = 0; i < 4; i++, p += 16)
			sums[i] = sums[i] * P64 + sum_fours(p);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			h = h * P4 + sums[i][j];
	return h;
}

#else

static uint32_t
sum_blocks(const uint8_t *p, size_t blocks)
{
	return plainly(0, p, blocks * BLOCK);
}

#endif

uint32_t
__ham_func4(void *db, const void *data, uint32_t len)
{
	const uint8_t *p = data;
	size_t blocks = len / BLOCK;

	(void)db;
	return plainly(sum_blocks(p, blocks), p + blocks * BLOCK, len % BLOCK);
}

void
store_sum_check(void)
{
	uint8_t sample[3 * BLOCK + 5];

	for (size_t i = 0; i < sizeof(sample); i++)
		sample[i] = (uint8_t)(i * 151 + 7);
	assert(__ham_func4(NULL, sample, sizeof(sample)) ==
	    plainly(0, sample, sizeof(sample)));
}
