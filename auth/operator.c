/*
 * operator.c - see operator.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/admin.h"
#include "auth/operator.h"
#include "lib/log.h"

#define BACKLOG_BYTES (64 * 1024) /* that the other side has not read */
#define ROWS_A_TURN   200
#define NAP_MS        5

static LIST_HEAD(, operator) operators = LIST_HEAD_INITIALIZER(operators);

static void wipe_command(struct operator* op)
{
	explicit_bzero(&op->cmd, sizeof(op->cmd));
	explicit_bzero(&op->job, sizeof(op->job));
}

static void free_operator(struct operator* op)
{
	channel_close(&op->line);
	timer_clear(&op->timer);
	wipe_command(op);
	LIST_REMOVE(op, link);
	free(op);
}

static void
on_gone(struct channel *c)
{
	struct operator* op = c->arg;

	/* A worker may have the job; on_hashed() comes back for it. */
	if (op->then == NULL)
		free_operator(op);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct operator* op = c->arg;

	(void)fd;
	if (op->busy || m->u.account_cmd.verb >= ACCOUNT_VERBS) {
		log_event("ctl.dropped", "by=%s error=%s", log_quote(op->by),
		    log_quote("unknown command, or one too many"));
		channel_close(c);
		on_gone(c);
		return;
	}
	op->busy = true;
	op->tag = m->tag;
	op->cmd = m->u.account_cmd;
	op->count = 0;
	admin_run(op);
}

static void
on_timer(void *arg)
{
	struct operator* op = arg;

	for (int i = 0; i < ROWS_A_TURN; i++) {
		if (channel_backlog(&op->line) > BACKLOG_BYTES) {
			timer_set(&op->timer, NAP_MS);
			return;
		}
		if (!op->next(op)) {
			operator_done(
			    op, 0, "%llu rows", (unsigned long long)op->count);
			return;
		}
	}
	timer_set(&op->timer, 0);
}

void
operator_open(int fd, const char *by, uint64_t tag)
{
	struct msg m = { .type = MSG_CTL_OPENED, .tag = tag };
	struct operator* op = calloc(1, sizeof(*op));

	if (op == NULL)
		abort();
	snprintf(op->by, sizeof(op->by), "%s", by);
	timer_init(&op->timer, on_timer, op);
	channel_open(&op->line, fd, P_AUTH, P_CTL, 0, on_message, on_gone, op);
	LIST_INSERT_HEAD(&operators, op, link);
	channel_send(&op->line, &m, -1);
}

void
operator_done(struct operator* op, uint32_t exit_code, const char *fmt, ...)
{
	struct msg m = { .type = MSG_CMD_DONE, .tag = op->tag };
	va_list ap;

	m.u.cmd_done.exit_code = exit_code;
	m.u.cmd_done.count = op->count;
	va_start(ap, fmt);
	vsnprintf(m.u.cmd_done.text, sizeof(m.u.cmd_done.text), fmt, ap);
	va_end(ap);
	channel_send(&op->line, &m, -1);
	wipe_command(op);
	op->busy = false;
}

void
operator_row(struct operator* op, struct msg *m)
{
	m->tag = op->tag;
	channel_send(&op->line, m, -1);
	op->count++;
}

void
operator_list(struct operator* op, bool (*next)(struct operator*))
{
	op->next = next;
	on_timer(op);
}

static void
on_hashed(struct hash_job *job)
{
	struct operator* op =(struct operator*)(
	    (char *)job - offsetof(struct operator, job));
	void (*then)(struct operator*) = op->then;

	op->then = NULL;
	if (!channel_up(&op->line))
		free_operator(op);
	else if (job->op == HASH_MAKE && job->fresh[0] == '\0')
		operator_done(op, 75, "cannot hash a password");
	else
		then(op);
}

void
operator_hash(
    struct operator* op, enum hash_op what, void (*then)(struct operator*))
{
	op->job.op = what;
	op->job.done = on_hashed;
	strcpy(op->job.secret, op->cmd.secret);
	op->then = then;
	hasher_submit(&op->job, "");
}

void
operators_close(void)
{
	struct operator* op;

	while ((op = LIST_FIRST(&operators)) != NULL)
		free_operator(op);
}
