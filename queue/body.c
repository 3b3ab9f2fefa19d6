/*
 * body.c - see body.h.
 */
#include <stdlib.h>

#include "queue/body.h"

static size_t total;

struct body *
body_new(size_t len)
{
	struct body *b = malloc(sizeof(*b) + len);

	if (b == NULL)
		abort();
	b->len = len;
	total += len;
	return b;
}

void
body_free(struct body *b)
{
	if (b == NULL)
		return;
	total -= b->len;
	free(b);
}

size_t
body_total(void)
{
	return total;
}
