/*
 * admin.c - see admin.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/metrics.h"
#include "lib/loop.h"
#include "queue/admin.h"
#include "queue/admin_command.h"
#include "queue/restore.h"
#include "queue/show.h"

#define LIST_MOST     500
#define BACKLOG_BYTES ((size_t)1 << 20)
#define PAUSE_MS      5

static TAILQ_HEAD(, admin) admins = TAILQ_HEAD_INITIALIZER(admins);
static struct timer again;
static const char *refusal; /* what everybody is told, if not NULL */
static uint32_t refusal_code;

/* clang-format off */
static const struct {
	void (*begin)(struct admin *); /* or NULL */
	void (*go_on)(struct admin *); /* a slice, in each turn, until done */
	bool selects;                  /* messages, and must say which */
} verbs[QUEUE_VERBS] = {
	[QUEUE_LIST]    = { NULL,              admin_list,   false },
	[QUEUE_SHOW]    = { admin_show_begin,  admin_show,   false },
	[QUEUE_RETRY]   = { NULL,              admin_change, true },
	[QUEUE_HOLD]    = { NULL,              admin_change, true },
	[QUEUE_RELEASE] = { NULL,              admin_change, true },
	[QUEUE_REMOVE]  = { NULL,              admin_change, true },
	[QUEUE_SHAPE]   = { NULL,              admin_shape,  false },
	[QUEUE_STATUS]  = { NULL,              NULL,         false },
	[QUEUE_CHECK]   = { admin_check,       NULL,         false },
	[QUEUE_TRACE]   = { admin_trace_begin, admin_trace,  false },
	[QUEUE_LOG]     = { admin_log_begin,   admin_log,    false },
	[QUEUE_BACKUP]  = { admin_backup_begin, admin_backup, false },
	[QUEUE_RESTORE] = { admin_restore,     NULL,         false },
};
/* clang-format on */

static void
wake_up(void *arg)
{
	(void)arg; /* admin_turn() does the rest */
}

static void
forget(struct admin *op)
{
	TAILQ_REMOVE(&admins, op, link);
	restore_free(op->restore);
	free(op);
}

void
admin_done(struct admin *op, uint32_t code, const char *text)
{
	struct msg m = { .type = MSG_CMD_DONE, .tag = op->tag };
	struct msg_cmd_done *d = &m.u.cmd_done;

	op->busy = false;
	d->exit_code = code;
	d->count = op->count;
	d->next = op->cmd.verb == QUEUE_LOG ? op->log.time : op->shown;
	d->next_seq = op->log.seq;
	d->more = op->cmd.verb == QUEUE_LIST && !op->listed_all;
	snprintf(d->text, sizeof(d->text), "%s", text);
	channel_send(&op->channel, &m, -1);
}

static const char *
fault_of(const struct msg_queue_cmd *q)
{
	if (q->verb >= QUEUE_VERBS)
		return "unknown verb";
	if (q->verb == QUEUE_TRACE && q->id == 0 && q->text[0] == '\0')
		return "nothing is looked for";
	if (!verbs[q->verb].selects)
		return NULL;
	if (q->id == 0 && q->account[0] == '\0' && q->sender[0] == '\0' &&
	    q->domain[0] == '\0' && !q->all)
		return "nothing is selected";
	return NULL;
}

static void
begin(struct admin *op, const struct msg *m)
{
	const char *fault = fault_of(&m->u.queue_cmd);

	op->cmd = m->u.queue_cmd;
	op->tag = m->tag;
	op->busy = true;
	op->count = 0;
	op->seen = op->listed_all = false;
	op->shown = op->cmd.after;
	op->at_n = 0;
	op->at = op->cmd.verb == QUEUE_LIST ? op->cmd.after + 1 : 0;
	if (op->cmd.limit == 0 || op->cmd.limit > LIST_MOST)
		op->cmd.limit = LIST_MOST;
	if (refusal != NULL) {
		admin_done(op, refusal_code, refusal);
	} else if (fault != NULL) {
		/* Not even 0 is a message's id. */
		admin_done(op, CODE_MISSING, fault);
	} else if (op->cmd.verb == QUEUE_STATUS) {
		show_status(&op->channel, op->tag);
		admin_done(op, CODE_OK, "");
	} else if (verbs[op->cmd.verb].begin != NULL) {
		verbs[op->cmd.verb].begin(op);
	}
}

static void
on_gone(struct channel *c)
{
	struct admin *op = c->arg;

	op->gone = true; /* the channel is still being used by its caller */
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct admin *op = c->arg;

	if (fd != -1)
		close(fd);
	if (m->type >= MSG_RESTORE_MESSAGE && m->type <= MSG_RESTORE_BODY &&
	    !op->busy && refusal == NULL) {
		admin_restore_row(op, m);
		return;
	}
	if (m->type == MSG_METRICS && !op->busy) {
		metrics_tell(c, m->tag);
		return;
	}
	if (m->type != MSG_QUEUE_CMD || op->busy) {
		channel_close(c); /* one question at a time */
		on_gone(c);
		return;
	}
	begin(op, m);
}

void
admin_client(const struct msg_ctl_client *who, int fd)
{
	struct admin *op = calloc(1, sizeof(*op));

	if (op == NULL)
		abort();
	if (!again.ready)
		timer_init(&again, wake_up, NULL);
	memcpy(op->by, who->by, sizeof(op->by));
	op->root = who->uid == 0 || who->uid == getuid();
	TAILQ_INSERT_TAIL(&admins, op, link);
	channel_open(
	    &op->channel, fd, P_QUEUE, P_CTL, 0, on_message, on_gone, op);
}

void
admin_refuse(uint32_t code, const char *text)
{
	refusal = text;
	refusal_code = code;
}

void
admin_turn(void)
{
	struct admin *op, *next;

	for (op = TAILQ_FIRST(&admins); op != NULL; op = next) {
		next = TAILQ_NEXT(op, link);
		if (op->gone) {
			if (!op->writing)
				forget(op);
			continue;
		}
		if (op->busy && !op->writing) {
			if (channel_backlog(&op->channel) < BACKLOG_BYTES)
				verbs[op->cmd.verb].go_on(op);
			if (op->busy && !op->writing)
				timer_set(&again,
				    channel_backlog(&op->channel) <
					    BACKLOG_BYTES
					? 0
					: PAUSE_MS);
		}
		if (channel_backlog(&op->channel) > 0)
			channel_flush(&op->channel);
	}
}
