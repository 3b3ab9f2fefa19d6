/*
 * group.c - see group.h.
 */
#include <assert.h>
#include <stdatomic.h>

#include "lib/loop.h"
#include "lib/worker.h"
#include "queue/group.h"
#include "queue/ids.h"

#define LAZY_COMMIT_MS 20
#define LAZY_FLUSH_MS  500
/* While a flush runs, this many changes are committed ahead of the next one,
 * so that the disk need not wait for the processor afterwards. */
#define COMMIT_AHEAD 32
/* Where a flush takes so long, others are begun beside it, so that who missed
 * the first need not wait for its end. */
#define SLOW_FLUSH_US 2500
#define FLUSHERS      (1 + STORE_BESIDE) /* the first is store_flush() */

TAILQ_HEAD(changes, change);

static struct changes gathering, visible;
static unsigned gathered, visible_n;
static bool urgent_gathered, urgent_visible, paused;
static bool written; /* all that is visible is in the file */
static int64_t gathered_since, visible_since;
static struct totals totals;
static uint64_t groups;
static struct timer ripe;
static int64_t ripe_at;

static struct flusher {
	struct task task; /* the first member */
	struct worker worker;
	struct changes covered;
	unsigned n;     /* changes covered */
	uint64_t order; /* of its flush among all; 0 none under way */
} flushers[FLUSHERS];

static uint64_t last_order;
/* The first one's covers only what was committed before this was set. */
static atomic_bool flush_begun;
static _Atomic int64_t usual_us; /* that its flushes take, a moving mean */

static void
run_flush(struct tasks *batch)
{
	int64_t began = loop_exact_us();

	(void)batch;
	flush_begun = true;
	store_flush();
	usual_us += (loop_exact_us() - began - usual_us) / 8;
}

static void
run_side_flush(struct tasks *batch)
{
	struct flusher *f = (struct flusher *)TAILQ_FIRST(batch);

	store_flush_beside((unsigned)(f - flushers) - 1);
}

static bool
is_slow(void)
{
	return usual_us >= SLOW_FLUSH_US;
}

static bool
none_under_way(void)
{
	for (int i = 0; i < FLUSHERS; i++)
		if (flushers[i].order != 0)
			return false;
	return true;
}

/* May what is committed now still join the newest flush? */
static bool
flush_is_open(void)
{
	return flushers[0].order != 0 && flushers[0].order == last_order &&
	    !flush_begun;
}

/* The one that began first, up to this one. */
static struct flusher *
oldest(uint64_t up_to)
{
	struct flusher *old = NULL;

	for (int i = 0; i < FLUSHERS; i++) {
		struct flusher *f = &flushers[i];

		if (!TAILQ_EMPTY(&f->covered) && f->order <= up_to &&
		    (old == NULL || f->order < old->order))
			old = f;
	}
	return old;
}

/*
 * What one flush made durable, and what those that began before it cover: it
 * lies before it in the log.
 */
static void
flushed(struct task *t)
{
	struct flusher *done = (struct flusher *)t, *f;
	struct change *c;

	groups++;
	while ((f = oldest(done->order)) != NULL) {
		while ((c = TAILQ_FIRST(&f->covered)) != NULL) {
			TAILQ_REMOVE(&f->covered, c, link);
			c->durable(c);
		}
		f->n = 0;
	}
	done->order = 0;
}

/* All that is visible is covered by a flush that begins now. */
static void
begin_flush(struct flusher *f)
{
	f->order = ++last_order;
	TAILQ_CONCAT(&f->covered, &visible, link);
	f->n = visible_n;
	visible_n = 0;
	urgent_visible = false;
	if (f == &flushers[0])
		flush_begun = false;
	worker_add(&f->worker, &f->task);
}

static void
wake_up(void *arg)
{
	(void)arg; /* group_turn() does the rest */
}

void
group_start(void)
{
	TAILQ_INIT(&gathering);
	TAILQ_INIT(&visible);
	gathered = visible_n = 0;
	last_order = 0;
	usual_us = 0;
	groups = 0;
	urgent_gathered = urgent_visible = paused = false;
	t_meta_get(&totals);
	timer_init(&ripe, wake_up, NULL);
	for (int i = 0; i < FLUSHERS; i++) {
		TAILQ_INIT(&flushers[i].covered);
		flushers[i].order = 0;
		flushers[i].n = 0;
		worker_start(&flushers[i].worker,
		    i == 0 ? run_flush : run_side_flush, flushed);
	}
}

void
group_stop(void)
{
	assert(group_idle());
	timer_clear(&ripe);
	for (int i = 0; i < FLUSHERS; i++)
		worker_stop(&flushers[i].worker);
}

void
group_add(struct change *c, enum hurry hurry)
{
	if (TAILQ_EMPTY(&gathering))
		gathered_since = loop_now_ms();
	TAILQ_INSERT_TAIL(&gathering, c, link);
	gathered++;
	urgent_gathered |= hurry == HURRY_NOW;
}

static void
apply_all(struct txn *t, void *arg)
{
	struct changes *list = arg;
	struct change *c;

	TAILQ_FOREACH (c, list, link)
		c->apply(t, &totals, c);
	t_meta_put(t, &totals);
}

void
group_commit(void)
{
	struct changes batch;
	struct change *c;
	bool joins;

	if (TAILQ_EMPTY(&gathering))
		return;
	TAILQ_INIT(&batch);
	TAILQ_CONCAT(&batch, &gathering, link);
	gathered = 0;
	/* When nobody waits, the next flush may be a second away. */
	written = !urgent_gathered || is_slow();
	store_txn(apply_all, &batch, written ? COMMIT_WRITTEN : COMMIT_MEMORY);
	joins = flush_is_open(); /* asked behind the commit */
	if (TAILQ_EMPTY(&visible) && !joins)
		visible_since = loop_now_ms();
	urgent_visible |= urgent_gathered && !joins;
	urgent_gathered = false;
	while ((c = TAILQ_FIRST(&batch)) != NULL) {
		TAILQ_REMOVE(&batch, c, link);
		TAILQ_INSERT_TAIL(
		    joins ? &flushers[0].covered : &visible, c, link);
		++*(joins ? &flushers[0].n : &visible_n);
		if (c->committed != NULL)
			c->committed(c);
	}
}

/*
 * A flusher that may go beside those under way, for a group of n; NULL when
 * it is better to wait.  Their share is what keeps groups alike and large
 * under load.
 */
static struct flusher *
side_flusher(unsigned n)
{
	struct flusher *idle = NULL;
	unsigned under_way = 0;

	if (!is_slow() || flushers[0].order == 0 || !flush_begun)
		return NULL;
	for (int i = 0; i < FLUSHERS; i++) {
		under_way += flushers[i].n;
		if (i > 0 && flushers[i].order == 0)
			idle = &flushers[i];
	}
	return n * FLUSHERS >= under_way ? idle : NULL;
}

static bool
commit_is_ripe(void)
{
	if (TAILQ_EMPTY(&gathering) || paused)
		return false;
	return (urgent_gathered &&
		   (flushers[0].order == 0 || flush_is_open() ||
		       side_flusher(visible_n + gathered) != NULL)) ||
	    gathered >= COMMIT_AHEAD ||
	    loop_now_ms() - gathered_since >= LAZY_COMMIT_MS;
}

/* Begin the flush that is due, if one is. */
static void
flush_ripe(void)
{
	struct flusher *f;

	if (TAILQ_EMPTY(&visible))
		return;
	if (flushers[0].order == 0) {
		if (is_slow() && none_under_way())
			store_beside_prepare();
		if (urgent_visible ||
		    loop_now_ms() - visible_since >= LAZY_FLUSH_MS)
			begin_flush(&flushers[0]);
	} else if (urgent_visible && written &&
	    (f = side_flusher(visible_n)) != NULL && store_beside_covers()) {
		begin_flush(f);
	}
}

void
group_turn(void)
{
	int64_t wait = -1, left;

	if (commit_is_ripe())
		group_commit();
	flush_ripe();
	if (!TAILQ_EMPTY(&gathering) && !paused)
		wait = gathered_since + LAZY_COMMIT_MS - loop_now_ms();
	if (!TAILQ_EMPTY(&visible) && flushers[0].order == 0) {
		left = visible_since + LAZY_FLUSH_MS - loop_now_ms();
		if (wait < 0 || left < wait)
			wait = left;
	}
	if (wait < 0)
		return;
	if (!timer_pending(&ripe) || ripe_at > loop_now_ms() + wait) {
		ripe_at = loop_now_ms() + wait;
		timer_set(&ripe, wait);
	}
}

void
group_pause(bool on)
{
	paused = on;
}

void
group_finish(void)
{
	group_commit();
	urgent_visible = true;
}

bool
group_idle(void)
{
	return TAILQ_EMPTY(&gathering) && TAILQ_EMPTY(&visible) &&
	    none_under_way();
}

uint64_t
group_new_id(void)
{
	totals.last_id = id_next(totals.last_id, loop_wall_ms());
	return totals.last_id;
}

const struct totals *
group_totals(void)
{
	return &totals;
}

uint64_t
group_count(void)
{
	return groups;
}

unsigned
group_gathered(void)
{
	return gathered;
}
