/*
 * bundle.c - see bundle.h.
 */
#include <stdlib.h>

#include "queue/bundle.h"

struct bundle {
	unsigned flying;
	bool well, busy; /* how any of them landed */
};

void
bundle_join(struct job *lead, struct job *mate)
{
	struct bundle *b = lead->bundle;

	if (b == NULL) {
		if ((b = calloc(1, sizeof(*b))) == NULL)
			abort();
		b->flying = 1;
		lead->bundle = b;
	}
	b->flying++;
	mate->bundle = b;
}

bool
bundle_land(struct job *j, enum landing *how)
{
	struct bundle *b = j->bundle;

	j->bundle = NULL;
	if (b == NULL)
		return true;
	b->well |= *how == LANDED_WELL || *how == LANDED_SQUEEZED;
	b->busy |= *how == LANDED_BUSY || *how == LANDED_SQUEEZED;
	if (--b->flying > 0)
		return false;
	if (*how != LANDED_UNKNOWN && b->well)
		*how = b->busy ? LANDED_SQUEEZED : LANDED_WELL;
	else if (*how != LANDED_UNKNOWN && b->busy)
		*how = LANDED_BUSY;
	free(b);
	return true;
}
