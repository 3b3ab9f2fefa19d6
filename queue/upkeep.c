/*
 * upkeep.c - see upkeep.h.
 */
#include <limits.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/worker.h"
#include "queue/domains.h"
#include "queue/flow.h"
#include "queue/group.h"
#include "queue/intake.h"
#include "queue/prune.h"
#include "queue/reports.h"
#include "queue/rescue.h"
#include "queue/room.h"
#include "queue/settings.h"
#include "queue/upkeep.h"

#define TICK_MS 1000
/* Of log.  A restart reads what came since at some 8 ms a MiB, and a new
 * checkpoint costs about 10 ms of CPU. */
#define CHECKPOINT_MOST  ((uint64_t)12 << 20)
#define CHECKPOINT_S     60
#define CHECKPOINT_LEAST ((uint64_t)64 << 10)
/* A checkpoint takes a little log itself: not each second on a full disk. */
#define HURRY_LEAST  ((uint64_t)16 << 10)
#define PRESS_BYTES  ((uint64_t)512 << 10) /* worth a checkpoint */
#define LOOK_BYTES   ((uint64_t)128 << 10) /* written between looks */
#define LOOK_MS      100
#define ROOMY_BYTES  ((uint64_t)256 << 20) /* more than is soon filled */
#define FLIGHT_BYTES ((uint64_t)1 << 20)   /* of log, by one verdict */
#define FLOOR_MOST   ((uint64_t)32 << 20)  /* kept for those */
/*
 * Log with bodies in it that recovery can spare is kept while many messages
 * wait and the disk has plenty: those that leave in the meantime need never
 * move to the table.  Beyond the most the older half is given up.
 */
#define KEEP_FEW  500 /* messages; those move quickly */
#define KEEP_MOST ((uint64_t)512 << 20)
#define KEEP_FILE ((uint64_t)16 << 20) /* as the log is cut, or less */
#define KEEP_ROOM ((uint64_t)1 << 30)
#define FULL_REMEDY \
	"make room on the disk of [paths] state; mail is taken again by " \
	"itself.  `postern queue shape` tells whose mail waits there"

static struct worker surveyor, tidier;
static struct timer tick;
static int64_t last_checkpoint; /* written by the surveyor, read by it */
static uint64_t checkpoints;
static uint64_t checkpoint_bytes; /* of log; less on a small disk */

/* What the surveyor's thread is asked and answers. */
static struct survey {
	struct task task; /* the first member */
	bool hurry;       /* room is short: checkpoint what little there is */
	bool tidy;        /* tell what recovery can spare */
	int64_t now;
	struct store_debt debt;
	bool checkpointed;
	uint32_t unneeded;  /* the last log file that recovery can spare */
	uint64_t log_bytes; /* of all log files, then */
} survey;

/* What the tidier's thread is asked: checkpoints do not wait for that. */
static struct tidying {
	struct task task; /* the first member */
	uint32_t remove;  /* the log up to this file */
} tidying;

/* The rest the loop keeps. */
static uint64_t debt;            /* as of the last survey */
static uint64_t log_at_debt;     /* since the last checkpoint */
static uint64_t least_debt;      /* as of the last checkpoint */
static uint64_t written_at_debt; /* what the store had written at the survey */
static uint64_t written_at_look, free_at_look;
static int64_t looked_ms;
static uint32_t removed; /* the last log file given up */
static bool removal_due;
static bool started;
static bool begun; /* the first survey was asked for */
static uint64_t written_at_tidy;
static bool pressing; /* a checkpoint under way is to make room */

static void
look(struct tasks *batch)
{
	struct survey *s = (struct survey *)TAILQ_FIRST(batch);
	int64_t age = s->now - last_checkpoint;
	uint64_t tables;

	store_debt(&s->debt);
	s->checkpointed = s->debt.log >= checkpoint_bytes ||
	    (s->hurry && s->debt.log >= HURRY_LEAST) ||
	    (s->debt.log >= CHECKPOINT_LEAST &&
		age >= (int64_t)CHECKPOINT_S * 1000);
	/* One that fails for lack of room would end the process. */
	s->checkpointed &= room_for_checkpoint();
	if (s->checkpointed) {
		store_checkpoint();
		last_checkpoint = s->now;
	}
	s->tidy |= s->checkpointed;
	if (!s->tidy)
		return;
	s->unneeded = store_log_unneeded();
	store_sizes(&tables, &s->log_bytes);
	store_debt(&s->debt);
}

/* Bodies that are in the log may yet have to move to the table. */
static void
note_debt(const struct store_debt *d)
{
	debt = d->dirty + 3 * d->log;
	log_at_debt = d->log;
	written_at_debt = store_written();
}

static uint64_t
debt_now(void)
{
	/* What was written since may be log and page alike, and move. */
	return debt + 3 * (store_written() - written_at_debt);
}

static void
ask(bool hurry)
{
	if (!worker_idle(&surveyor))
		return;
	survey.hurry = hurry;
	/* Recovery made a checkpoint, and the process before may have died with
	 * work to do behind its own.  Where not even a checkpoint has room, that
	 * may be what fills the disk; but to look costs a little log, too. */
	survey.tidy = !begun ||
	    (hurry && store_written() - written_at_tidy >= CHECKPOINT_LEAST);
	begun = true;
	if (survey.tidy)
		written_at_tidy = store_written();
	survey.now = loop_now_ms();
	worker_add(&surveyor, &survey.task);
}

static void
tidy_log(struct tasks *batch)
{
	const struct tidying *t = (struct tidying *)TAILQ_FIRST(batch);

	store_log_remove(t->remove);
}

static void
tidied(struct task *t)
{
	(void)t;
	upkeep_check_room();
}

static void
tidy(void)
{
	if (!removal_due || !worker_idle(&tidier))
		return;
	tidying.remove = removed;
	removal_due = false;
	worker_add(&tidier, &tidying.task);
}

unsigned
upkeep_flights(void)
{
	uint64_t free;

	/* Looked at with care only where it may matter. */
	if (free_at_look / FLIGHT_BYTES > 4 * (uint64_t)settings->in_flight)
		return UINT_MAX;
	if ((free = room_free()) < FLIGHT_BYTES)
		return room_for_checkpoint() ? 1 : 0;
	return (unsigned)(free / FLIGHT_BYTES);
}

bool
upkeep_room_for(uint64_t bytes)
{
	return room_enough(debt_now() + bytes, settings->message_size);
}

bool
upkeep_room_to_move(uint64_t bytes)
{
	uint64_t floor = room_total() / 64;

	if (floor > FLOOR_MOST)
		floor = FLOOR_MOST;
	return room_free() >= bytes + floor;
}

static void
press(bool on)
{
	pressing = on;
	group_pause(on);
}

/* The remedy, where there is something to do: "" nothing. */
static void
tell(const char *event, const char *fix)
{
	log_event(event, "free=%llu owed=%llu%s%s",
	    (unsigned long long)room_free(), (unsigned long long)debt_now(),
	    *fix != '\0' ? " fix=" : "", *fix != '\0' ? log_quote(fix) : "");
}

void
upkeep_check_room(void)
{
	if (!started)
		return; /* no store, no room */
	written_at_look = store_written();
	free_at_look = room_free();
	looked_ms = loop_now_ms();
	if (intake_get() == INTAKE_STOPPING || pressing)
		return;
	if (room_enough(debt_now(), settings->message_size)) {
		room_make_ballast();
		if (intake_get() == INTAKE_NO_ROOM)
			tell("queue.room", "");
		intake_set(INTAKE_OPEN);
		return;
	}
	/* Much of the debt may go with a checkpoint: who commits meanwhile
	 * waits for it rather than be refused. */
	if (debt_now() >= least_debt + PRESS_BYTES && room_for_checkpoint()) {
		press(true);
		ask(true);
		return;
	}
	if (intake_get() == INTAKE_OPEN)
		tell("queue.full", FULL_REMEDY);
	intake_set(INTAKE_NO_ROOM);
}

void
upkeep_mind_room(void)
{
	if (intake_get() == INTAKE_OPEN &&
	    loop_now_ms() - looked_ms < LOOK_MS &&
	    free_at_look >=
		ROOMY_BYTES + debt_now() + 4 * (uint64_t)settings->message_size)
		return;
	upkeep_check_room();
}

/* Nothing in the log up to this file is wanted any more. */
static void
remove_log(uint32_t last_file)
{
	if (last_file <= removed)
		return;
	removed = last_file;
	removal_due = true;
}

/* All that recovery can spare but for the newest of `files`. */
static uint32_t
all_but(const struct survey *s, uint64_t files)
{
	return s->unneeded > files ? s->unneeded - (uint32_t)files : 0;
}

/* The last log file that is not worth keeping; 0 all are. */
static uint32_t
dispensable(const struct survey *s)
{
	uint64_t free = room_free(), files = s->log_bytes / KEEP_FILE;

	if (group_totals()->messages <= KEEP_FEW)
		return s->unneeded;
	/* Moving takes room in the table and in the log: then little by
	 * little. */
	if (free < 3 * s->log_bytes && s->log_bytes > 4 * CHECKPOINT_MOST)
		return all_but(s, files / 8 * 7);
	if (free < KEEP_ROOM + 4 * s->log_bytes)
		return s->unneeded;
	return s->log_bytes <= KEEP_MOST ? 0 : all_but(s, files / 2);
}

static void
looked(struct task *t)
{
	struct survey *s = (struct survey *)t;
	uint32_t last;

	note_debt(&s->debt);
	if (s->checkpointed) {
		least_debt = debt;
		checkpoints++;
	}
	last = s->tidy ? dispensable(s) : 0;
	if (last > removed)
		rescue_bodies(last, remove_log);
	if (pressing)
		press(false);
	upkeep_check_room();
}

static void
on_tick(void *arg)
{
	(void)arg;
	timer_set(&tick, TICK_MS);
	flow_tick();
	prune_tick();
	reports_tick();
	domains_tick();
	ask(intake_get() == INTAKE_NO_ROOM);
}

void
upkeep_start(void)
{
	struct store_debt d;

	started = true;
	store_debt(&d);
	note_debt(&d);
	last_checkpoint = loop_now_ms();
	checkpoint_bytes = room_total() / 16 < CHECKPOINT_MOST
	    ? room_total() / 16
	    : CHECKPOINT_MOST;
	worker_start(&surveyor, look, looked);
	worker_start(&tidier, tidy_log, tidied);
	least_debt = debt;
	upkeep_check_room();
	prune_start();
	timer_init(&tick, on_tick, NULL);
	timer_set(&tick, TICK_MS);
	ask(false);
}

void
upkeep_turn(void)
{
	uint64_t written;

	tidy();
	/* At a high rate a second is too long to wait. */
	if (store_written() - written_at_look >= LOOK_BYTES)
		upkeep_check_room();
	written = store_written() - written_at_debt;
	if (written >= checkpoint_bytes / 8 &&
	    log_at_debt + written >= checkpoint_bytes)
		ask(false);
}

void
upkeep_stop(void)
{
	press(false);
	started = false;
	timer_clear(&tick);
	prune_stop();
	worker_stop(&surveyor);
	worker_stop(&tidier);
}

uint64_t
upkeep_checkpoints(void)
{
	return checkpoints;
}
