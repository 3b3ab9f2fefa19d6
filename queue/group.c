/*
 * group.c - see group.h.
 */
#include <assert.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "queue/group.h"
#include "queue/ids.h"
#include "lib/worker.h"

#define LAZY_COMMIT_MS 20
#define LAZY_FLUSH_MS  500
/* While a flush runs, this many changes are committed ahead of the next one,
 * so that the disk need not wait for the processor afterwards. */
#define COMMIT_AHEAD 32
/* Behind a flush that took long the next one waits a moment: those who were
 * just answered are about to send again, and would otherwise miss it and wait
 * for the one after. */
#define SLOW_FLUSH_US 2500
#define HOLD_PART     5 /* of the time that the flush took */

TAILQ_HEAD(changes, change);

static struct changes gathering, visible, flushing;
static unsigned gathered;
static bool urgent_gathered, urgent_visible, paused;
static int64_t gathered_since, visible_since;
static struct totals totals;
static uint64_t groups;
static struct worker flusher;
static struct task flush;
/* The flush under way covers only what was committed before it was set. */
static atomic_bool flush_begun;
static struct timer ripe;
static int64_t ripe_at;

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
run_flush(struct tasks *batch)
{
	static int64_t hold_until;
	int64_t began = now_us(), ended;

	(void)batch;
	if (began < hold_until) {
		usleep((useconds_t)(hold_until - began));
		began = now_us();
	}
	flush_begun = true;
	store_flush();
	ended = now_us();
	hold_until = ended - began < SLOW_FLUSH_US
	    ? 0
	    : ended + (ended - began) / HOLD_PART;
}

/* May what is committed now still join the flush under way? */
static bool
flush_is_open(void)
{
	return !worker_idle(&flusher) && !flush_begun;
}

static void
flushed(struct task *t)
{
	struct change *c;

	(void)t;
	groups++;
	while ((c = TAILQ_FIRST(&flushing)) != NULL) {
		TAILQ_REMOVE(&flushing, c, link);
		c->durable(c);
	}
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
	TAILQ_INIT(&flushing);
	gathered = 0;
	groups = 0;
	urgent_gathered = urgent_visible = paused = false;
	t_meta_get(&totals);
	timer_init(&ripe, wake_up, NULL);
	worker_start(&flusher, run_flush, flushed);
}

void
group_stop(void)
{
	assert(group_idle());
	timer_clear(&ripe);
	worker_stop(&flusher);
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
	store_txn(apply_all, &batch,
	    urgent_gathered ? COMMIT_MEMORY : COMMIT_WRITTEN);
	joins = flush_is_open(); /* asked behind the commit */
	if (TAILQ_EMPTY(&visible) && !joins)
		visible_since = loop_now_ms();
	urgent_visible |= urgent_gathered && !joins;
	urgent_gathered = false;
	while ((c = TAILQ_FIRST(&batch)) != NULL) {
		TAILQ_REMOVE(&batch, c, link);
		TAILQ_INSERT_TAIL(joins ? &flushing : &visible, c, link);
		if (c->committed != NULL)
			c->committed(c);
	}
}

static bool
commit_is_ripe(void)
{
	if (TAILQ_EMPTY(&gathering) || paused)
		return false;
	return (urgent_gathered &&
		   (worker_idle(&flusher) || flush_is_open())) ||
	    gathered >= COMMIT_AHEAD ||
	    loop_now_ms() - gathered_since >= LAZY_COMMIT_MS;
}

static bool
flush_is_ripe(void)
{
	if (TAILQ_EMPTY(&visible) || !worker_idle(&flusher))
		return false;
	return urgent_visible || loop_now_ms() - visible_since >= LAZY_FLUSH_MS;
}

void
group_turn(void)
{
	int64_t wait = -1, left;

	if (commit_is_ripe())
		group_commit();
	if (flush_is_ripe()) {
		TAILQ_CONCAT(&flushing, &visible, link);
		urgent_visible = false;
		flush_begun = false;
		worker_add(&flusher, &flush);
	}
	if (!TAILQ_EMPTY(&gathering) && !paused)
		wait = gathered_since + LAZY_COMMIT_MS - loop_now_ms();
	if (!TAILQ_EMPTY(&visible) && worker_idle(&flusher)) {
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
	    worker_idle(&flusher);
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
