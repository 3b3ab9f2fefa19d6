/*
 * prune.c - see prune.h.
 */
#include <stdlib.h>

#include "lib/loop.h"
#include "queue/clock.h"
#include "queue/group.h"
#include "queue/history.h"
#include "queue/prune.h"
#include "queue/settings.h"
#include "queue/t_index.h"
#include "queue/t_journal.h"

#define ROWS     200 /* of the journal, in one transaction */
#define AGAIN_MS 20

static struct timer again;

struct pruning {
	struct change change; /* the first member */
	uint64_t before;
};

static void
prune(struct txn *t, struct totals *totals, struct change *c)
{
	uint64_t before = ((struct pruning *)c)->before;
	bool more;

	(void)totals;
	more = t_journal_prune(t, before, ROWS) == ROWS;
	more |= t_index_prune(t, index_period(before), 2 * ROWS) == 2 * ROWS;
	if (more)
		timer_set(&again, AGAIN_MS);
}

static void
pruned(struct change *c)
{
	free(c);
}

static bool
is_old(void *arg, uint64_t time, uint64_t seq, const struct journal_row *j)
{
	(void)seq, (void)j;
	*(bool *)arg = time < history_since();
	return false;
}

static void
look(void *arg)
{
	struct pruning *p;
	bool old = false;

	(void)arg;
	t_journal_walk(0, 0, is_old, &old);
	if (!old || !clock_may_forget(settings->journal_s * 1000))
		return;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		abort();
	p->change.apply = prune;
	p->change.durable = pruned;
	p->before = history_since();
	group_add(&p->change, HURRY_NOT);
}

void
prune_start(void)
{
	timer_init(&again, look, NULL);
}

void
prune_tick(void)
{
	look(NULL);
}

void
prune_stop(void)
{
	timer_clear(&again);
}
