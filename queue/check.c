/*
 * check.c - see check.h.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/copy.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/worker.h"
#include "mail/msgid.h"
#include "queue/bodyfile.h"
#include "queue/check.h"
#include "queue/t_body.h"
#include "queue/upkeep.h"

/* Damage is what is found in so many copies, one after the other. */
#define COPIES 3
#define SLICE  100 /* bodies looked for in one turn */
/* For what cannot be broken off: a table's pages are verified in one go. */
#define STOP_MS 3000

static struct worker checker;
static struct {
	struct task task; /* the first member */
	int error;
	struct store_check found;
	int64_t began;
	void (*done)(void *arg, const struct check_result *);
	void *arg;
} job;
static char directory[1100];
static bool started, busy;
static struct timer again;
static uint64_t at; /* the next message to look at */
static uint64_t bytes;

void
check_open(const char *dir)
{
	snprintf(directory, sizeof(directory), "%s/check",
	    strcmp(dir, "/") == 0 ? "" : dir);
	copy_remove(directory);
}

static void
work(struct tasks *batch)
{
	(void)batch;
	for (int i = 0; i < COPIES && !store_check_ended(); i++) {
		if ((job.error = store_copy(directory)) == 0)
			job.error = store_check(directory, &job.found);
		if (job.error != 0 || job.found.faults == 0)
			break;
	}
	copy_remove(directory);
}

static void
finish(void)
{
	struct check_result r = { .bytes = bytes,
		.ms = loop_now_ms() - job.began,
		.messages = job.found.rows[T_MESSAGE],
		.jobs = job.found.rows[T_JOB],
		.events = job.found.rows[T_JOURNAL],
		.faults = job.found.faults,
		.fault = job.found.fault,
		.error = job.error };

	busy = false;
	if (r.error == 0 && r.faults > 0)
		log_event("store.damaged", "faults=%u error=%s", r.faults,
		    log_quote(r.fault));
	job.done(job.arg, &r);
}

static bool
body_is_there(uint64_t id, const struct message_row *m)
{
	struct body_at where = { (enum body_kind)m->body, m->place };
	struct stat st;
	uint8_t byte;
	bool there;
	int fd;

	if (m->body != BODY_FILE)
		return m->size == 0 || t_body_get(where, id, &byte, 1);
	if ((fd = bodyfile_read(id)) == -1)
		return false;
	there = fstat(fd, &st) == 0 && (uint64_t)st.st_size == m->size;
	close(fd);
	return there;
}

static bool
look_at(void *arg, uint64_t id, const struct message_row *m)
{
	unsigned *looked = arg;
	char name[MSGID_SIZE];

	at = id + 1;
	if (!body_is_there(id, m) && job.found.faults++ == 0) {
		msgid_format(id, name);
		snprintf(job.found.fault, sizeof(job.found.fault),
		    "the body of message %s is missing", name);
	}
	return ++*looked < SLICE;
}

/* The bodies, of which the copy has but some, are looked for where they are,
 * between other work. */
static void
look(void *arg)
{
	unsigned looked = 0;

	(void)arg;
	if (t_message_walk(at, look_at, &looked))
		timer_set(&again, 0);
	else
		finish();
}

static void
worked(struct task *t)
{
	(void)t;
	if (job.error != 0 || job.found.faults > 0) {
		finish();
		return;
	}
	at = 0;
	timer_set(&again, 0);
}

const char *
check_begin(void (*done)(void *arg, const struct check_result *), void *arg)
{
	uint64_t tables, log;

	if (!started) {
		worker_start(&checker, work, worked);
		timer_init(&again, look, NULL);
	}
	started = true;
	if (busy)
		return "a check is under way already";
	store_sizes(&tables, &log);
	bytes = tables + log;
	/* Recovery of the copy may write what is only in its log yet. */
	if (!upkeep_room_for(bytes + log))
		return "the disk has too little room for a copy of the spool";
	job.began = loop_now_ms();
	job.done = done;
	job.arg = arg;
	busy = true;
	worker_add(&checker, &job.task);
	return NULL;
}

bool
check_stop(void)
{
	bool ended = true;

	if (started) {
		timer_clear(&again);
		store_check_end();
		ended = worker_abandon(&checker, STOP_MS);
	}
	started = false;
	return ended;
}
