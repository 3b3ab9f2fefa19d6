/*
 * admin_check.c - see admin_check.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/admin_check.h"
#include "auth/store.h"
#include "ipc/child.h"
#include "lib/copy.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/worker.h"

/* Damage is what is found in so many copies, one after the other. */
#define COPIES  3
#define STOP_MS 2000

static struct worker checker;
static struct {
	struct task task; /* the first member */
	char path[CONF_PATH + 8];
	int error;
	struct store_check found;
	int64_t began;
	struct console *con; /* NULL when nobody waits any more */
} job;
static bool started, busy;

static void
copy_path(char *out, size_t size)
{
	const char *dir = child_directory();

	snprintf(out, size, "%s/check", strcmp(dir, "/") == 0 ? "" : dir);
}

void
admin_check_sweep(void)
{
	char path[CONF_PATH + 8];

	copy_path(path, sizeof(path));
	copy_remove(path);
}

static void
work(struct tasks *batch)
{
	(void)batch;
	for (int i = 0; i < COPIES; i++) {
		if ((job.error = store_copy(job.path)) == 0)
			job.error = store_check(job.path, &job.found);
		if (job.error != 0 || job.found.faults == 0)
			break;
	}
	copy_remove(job.path);
}

static void
tell(struct console *con)
{
	const struct store_check *c = &job.found;

	if (job.error != 0)
		console_done(con, CODE_TEMP, "they could not be copied: %s",
		    strerror(job.error));
	else if (c->faults > 0)
		console_done(con, CODE_NO,
		    "%u fault%s, the first: %s; end the server and keep a "
		    "copy of its directory before anything else",
		    c->faults, c->faults == 1 ? "" : "s", c->fault);
	else
		console_done(con, CODE_OK,
		    "whole: %" PRIu64 " accounts, %" PRIu64
		    " credentials, %" PRIu64 " grants; in %.1f s",
		    c->rows[TABLE_ACCOUNT], c->rows[TABLE_CREDENTIAL],
		    c->rows[TABLE_GRANT],
		    (double)(loop_now_ms() - job.began) / 1000);
}

static void
worked(struct task *t)
{
	(void)t;
	busy = false;
	store_keep_logs(false);
	if (job.error == 0 && job.found.faults > 0)
		log_event("store.damaged", "faults=%u error=%s",
		    job.found.faults, log_quote(job.found.fault));
	if (job.con != NULL)
		tell(job.con);
	job.con = NULL;
}

void
admin_check(struct console *con)
{
	if (busy) {
		console_done(con, CODE_TEMP, "a check is under way already");
		return;
	}
	if (!started)
		worker_start(&checker, work, worked);
	started = busy = true;
	copy_path(job.path, sizeof(job.path));
	job.began = loop_now_ms();
	job.con = con;
	store_keep_logs(true);
	worker_add(&checker, &job.task);
}

void
admin_check_leave(const struct console *con)
{
	if (job.con == con)
		job.con = NULL;
}

void
admin_check_stop(void)
{
	if (started)
		worker_abandon(&checker, STOP_MS);
	started = busy = false;
	job.con = NULL;
}
