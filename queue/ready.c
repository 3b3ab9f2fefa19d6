/*
 * ready.c - see ready.h.
 */
#include "queue/ready.h"

void
ready_init(struct ready *r)
{
	for (int i = 0; i < PRIORITIES; i++)
		TAILQ_INIT(&r->jobs[i]);
	r->levels = 0;
	r->n = 0;
}

/* RFC 6710 5: what has none has the middle one. */
static unsigned
level_of(const struct job *j)
{
	uint32_t p = j->letter->options.priority;

	return p >= 1 && p <= PRIORITIES ? p - 1 : PRIORITIES / 2;
}

void
ready_add(struct ready *r, struct job *j, bool first)
{
	unsigned level = level_of(j);

	if (first)
		TAILQ_INSERT_HEAD(&r->jobs[level], j, link);
	else
		TAILQ_INSERT_TAIL(&r->jobs[level], j, link);
	r->levels |= 1u << level;
	r->n++;
}

void
ready_remove(struct ready *r, struct job *j)
{
	unsigned level = level_of(j);

	TAILQ_REMOVE(&r->jobs[level], j, link);
	if (TAILQ_EMPTY(&r->jobs[level]))
		r->levels &= ~(1u << level);
	r->n--;
}

struct job *
ready_first(const struct ready *r)
{
	if (r->levels == 0)
		return NULL;
	return TAILQ_FIRST(&r->jobs[31 - __builtin_clz(r->levels)]);
}
