/*
 * upkeep.c - see upkeep.h.
 */
#include <stdlib.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "queue/flow.h"
#include "queue/group.h"
#include "queue/intake.h"
#include "queue/room.h"
#include "queue/settings.h"
#include "queue/t_journal.h"
#include "queue/upkeep.h"
#include "queue/worker.h"

#define TICK_MS          1000
#define CHECKPOINT_MOST  ((uint64_t)32 << 20) /* of log */
#define CHECKPOINT_S     60
#define CHECKPOINT_LEAST ((uint64_t)64 << 10)
#define PRUNE_ROWS       200
#define PRUNE_AGAIN_MS   20

static struct worker surveyor;
static struct timer tick, prune_timer;
static int64_t last_checkpoint; /* written by the surveyor, read by it */
static uint64_t checkpoints;
static uint64_t checkpoint_bytes; /* of log; less on a small disk */

/* What the surveyor's thread is asked and answers. */
static struct survey {
	struct task task; /* the first member */
	bool hurry;       /* room is short: checkpoint whatever there is */
	int64_t now;
	struct store_debt debt;
	bool checkpointed;
} survey;

/* The rest the loop keeps. */
static uint64_t debt;            /* as of the last survey */
static uint64_t written_at_debt; /* what the store had written then */
static uint64_t room_seen;       /* what it had written at the last look */

static void
look(struct tasks *batch)
{
	struct survey *s = (struct survey *)TAILQ_FIRST(batch);
	int64_t age = s->now - last_checkpoint;

	store_debt(&s->debt);
	s->checkpointed = s->debt.log >= checkpoint_bytes ||
	    (s->debt.log >= CHECKPOINT_LEAST &&
		(s->hurry || age >= (int64_t)CHECKPOINT_S * 1000));
	if (!s->checkpointed)
		return;
	store_checkpoint();
	last_checkpoint = s->now;
	store_debt(&s->debt);
}

static uint64_t
debt_now(void)
{
	/* What was written since may be log and page alike. */
	return debt + 2 * (store_written() - written_at_debt);
}

static void
check_room(void)
{
	bool enough = room_enough(debt_now(), settings->message_size);

	room_seen = store_written();
	if (!enough && intake_get() == INTAKE_OPEN) {
		log_event("queue.full", "free=%llu owed=%llu",
		    (unsigned long long)room_free(),
		    (unsigned long long)debt_now());
		intake_set(INTAKE_NO_ROOM);
	} else if (enough && intake_get() == INTAKE_NO_ROOM) {
		log_event(
		    "queue.room", "free=%llu", (unsigned long long)room_free());
		intake_set(INTAKE_OPEN);
	}
}

static void
looked(struct task *t)
{
	struct survey *s = (struct survey *)t;

	debt = s->debt.dirty + s->debt.log;
	written_at_debt = store_written();
	checkpoints += s->checkpointed;
	check_room();
	if (s->checkpointed && intake_get() == INTAKE_OPEN)
		room_make_ballast(debt, settings->message_size);
}

struct pruning {
	struct change change; /* the first member */
	uint64_t before;
};

static void
prune(struct txn *t, struct totals *totals, struct change *c)
{
	(void)totals;
	if (t_journal_prune(t, ((struct pruning *)c)->before, PRUNE_ROWS) ==
	    PRUNE_ROWS)
		timer_set(&prune_timer, PRUNE_AGAIN_MS);
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
	*(bool *)arg =
	    time < (uint64_t)(loop_wall_ms() - settings->journal_s * 1000);
	return false;
}

static void
prune_journal(void *arg)
{
	struct pruning *p;
	bool old = false;

	(void)arg;
	t_journal_walk(0, 0, is_old, &old);
	if (!old)
		return;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		abort();
	p->change.apply = prune;
	p->change.durable = pruned;
	p->before = (uint64_t)(loop_wall_ms() - settings->journal_s * 1000);
	group_add(&p->change, HURRY_NOT);
}

static void
ask(void)
{
	if (!worker_idle(&surveyor))
		return;
	survey.hurry = intake_get() == INTAKE_NO_ROOM;
	survey.now = loop_now_ms();
	worker_add(&surveyor, &survey.task);
}

static void
on_tick(void *arg)
{
	(void)arg;
	timer_set(&tick, TICK_MS);
	flow_tick();
	prune_journal(NULL);
	ask();
}

void
upkeep_start(void)
{
	struct store_debt d;

	store_debt(&d);
	debt = d.dirty + d.log;
	written_at_debt = store_written();
	last_checkpoint = loop_now_ms();
	checkpoint_bytes = room_total() / 16 < CHECKPOINT_MOST
	    ? room_total() / 16
	    : CHECKPOINT_MOST;
	check_room();
	if (intake_get() == INTAKE_OPEN)
		room_make_ballast(debt, settings->message_size);
	worker_start(&surveyor, look, looked);
	timer_init(&prune_timer, prune_journal, NULL);
	timer_init(&tick, on_tick, NULL);
	timer_set(&tick, TICK_MS);
}

void
upkeep_turn(void)
{
	uint64_t written = store_written();

	/* At a high rate a second is too long to wait. */
	if (written - room_seen >= checkpoint_bytes / 32)
		check_room();
	if (written - written_at_debt >= checkpoint_bytes / 2)
		ask();
}

void
upkeep_stop(void)
{
	timer_clear(&tick);
	timer_clear(&prune_timer);
	worker_stop(&surveyor);
}

uint64_t
upkeep_checkpoints(void)
{
	return checkpoints;
}
