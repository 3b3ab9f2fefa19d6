/*
 * console.c - see console.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/admin.h"
#include "auth/admin_check.h"
#include "auth/admin_dkim.h"
#include "auth/console.h"
#include "auth/login.h"
#include "ipc/metrics.h"
#include "lib/log.h"

#define BACKLOG_BYTES (64 * 1024) /* that the other side has not read */
#define ROWS_A_TURN   200
#define NAP_MS        5

static LIST_HEAD(, console) consoles = LIST_HEAD_INITIALIZER(consoles);
static const char *refusal; /* NULL: commands are run */

static void
wipe_command(struct console *con)
{
	explicit_bzero(&con->cmd, sizeof(con->cmd));
	explicit_bzero(&con->job, sizeof(con->job));
	explicit_bzero(&con->issued, sizeof(con->issued));
	explicit_bzero(con->file, sizeof(con->file));
}

static void
free_console(struct console *con)
{
	channel_close(&con->line);
	timer_clear(&con->timer);
	wipe_command(con);
	import_leave(con);
	admin_check_leave(con);
	import_free(con->import);
	LIST_REMOVE(con, link);
	free(con);
}

static void
on_gone(struct channel *c)
{
	struct console *con = c->arg;

	/* A worker may have the job; on_hashed() comes back for it. */
	if (con->then == NULL)
		free_console(con);
}

/* The channel is in use while its handler runs: the rest goes a turn later. */
static void
drop(struct console *con)
{
	log_event("ctl.dropped", "by=%s error=%s", log_quote(con->by),
	    log_quote("unknown command, or one too many"));
	channel_close(&con->line);
	if (con->then == NULL)
		timer_set(&con->timer, 0);
}

static bool
is_command(const struct msg *m)
{
	switch (m->type) {
	case MSG_ACCOUNT_CMD:
		return m->u.account_cmd.verb < ACCOUNT_VERBS;
	case MSG_DKIM_CMD:
		return m->u.dkim_cmd.verb < DKIM_VERBS;
	case MSG_DKIM_KEEP:
		return true;
	default:
		return false;
	}
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct console *con = c->arg;

	(void)fd;
	if (m->type == MSG_ITEM && !con->busy) {
		if (con->import == NULL)
			con->import = import_new();
		import_add(con->import, &m->u.item);
		return;
	}
	if (m->type == MSG_METRICS && !con->busy) {
		metrics_tell(c, m->tag);
		return;
	}
	if (con->busy || !is_command(m)) {
		drop(con);
		return;
	}
	con->busy = true;
	con->tag = m->tag;
	con->count = 0;
	if (refusal != NULL) {
		console_done(con, CODE_TEMP, "%s", refusal);
	} else if (m->type == MSG_DKIM_KEEP) {
		admin_dkim_keep(con, &m->u.dkim_key);
	} else if (m->type == MSG_DKIM_CMD) {
		con->dkim = m->u.dkim_cmd;
		admin_dkim_run(con);
	} else {
		con->cmd = m->u.account_cmd;
		admin_run(con);
	}
}

static void
on_timer(void *arg)
{
	struct console *con = arg;

	if (!channel_up(&con->line)) {
		free_console(con);
		return;
	}
	for (int i = 0; i < ROWS_A_TURN; i++) {
		if (channel_backlog(&con->line) > BACKLOG_BYTES) {
			timer_set(&con->timer, NAP_MS);
			return;
		}
		if (!con->next(con)) {
			console_done(con, CODE_OK, "%llu rows",
			    (unsigned long long)con->count);
			return;
		}
	}
	timer_set(&con->timer, 0);
}

void
console_open(int fd, const char *by, bool root)
{
	struct console *con = calloc(1, sizeof(*con));

	if (con == NULL)
		abort();
	snprintf(con->by, sizeof(con->by), "%s", by);
	con->root = root;
	timer_init(&con->timer, on_timer, con);
	channel_open(
	    &con->line, fd, P_AUTH, P_CTL, 0, on_message, on_gone, con);
	LIST_INSERT_HEAD(&consoles, con, link);
}

void
consoles_refuse(const char *why)
{
	refusal = why;
}

void
console_done(struct console *con, enum code how, const char *fmt, ...)
{
	struct msg m = { .type = MSG_CMD_DONE, .tag = con->tag };
	va_list ap;

	m.u.cmd_done.exit_code = how;
	m.u.cmd_done.count = con->count;
	va_start(ap, fmt);
	vsnprintf(m.u.cmd_done.text, sizeof(m.u.cmd_done.text), fmt, ap);
	va_end(ap);
	channel_send(&con->line, &m, -1);
	wipe_command(con);
	con->busy = false;
}

void
console_row(struct console *con, struct msg *m)
{
	m->tag = con->tag;
	channel_send(&con->line, m, -1);
	con->count++;
}

void
console_list(struct console *con, bool (*next)(struct console *))
{
	con->next = next;
	on_timer(con);
}

static void
on_hashed(struct hash_job *job)
{
	struct console *con =
	    (struct console *)((char *)job - offsetof(struct console, job));
	void (*then)(struct console *) = con->then;

	con->then = NULL;
	if (!channel_up(&con->line))
		free_console(con);
	else if (job->op == HASH_MAKE && job->fresh[0] == '\0')
		console_done(con, CODE_TEMP, "cannot hash a password");
	else
		then(con);
}

void
console_hash(
    struct console *con, enum hash_op what, void (*then)(struct console *))
{
	con->job.op = what;
	con->job.done = on_hashed;
	con->job.wants_verifier = login_makes_verifiers();
	strcpy(con->job.secret, con->cmd.secret);
	con->then = then;
	hasher_submit(&con->job, "", HASH_FIRST);
}

void
consoles_close(void)
{
	struct console *con;

	while ((con = LIST_FIRST(&consoles)) != NULL)
		free_console(con);
}
