/*
 * appetite.c - see appetite.h.
 *
 * A table of fixed size, whose rows drive each other out: what is forgotten
 * costs a few refusals.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "deliver/appetite.h"
#include "deliver/target.h"
#include "lib/fnv.h"
#include "lib/loop.h"

#define ROWS 256
/* Longer than the first times of the retry schedule, and then it is asked
 * again: it may have been its disk that was full. */
#define FRESH_MS (15 * 60 * 1000)

static struct row {
	char mx[TARGET_NAME];
	unsigned took;
	int64_t until_ms;
} table[ROWS];

static struct row *
row_of(const char *mx)
{
	return &table[fnv_add(FNV_BASIS, mx, strlen(mx)) % ROWS];
}

unsigned
appetite_of(const char *mx)
{
	const struct row *r = row_of(mx);

	if (r->took == 0 || strcmp(r->mx, mx) != 0 ||
	    loop_now_ms() >= r->until_ms)
		return 0;
	return r->took;
}

void
appetite_note(const char *mx, unsigned took)
{
	struct row *r = row_of(mx);

	snprintf(r->mx, sizeof(r->mx), "%s", mx);
	r->took = took;
	r->until_ms = loop_now_ms() + FRESH_MS;
}
