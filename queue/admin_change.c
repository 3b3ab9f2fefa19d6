/*
 * admin_change.c - queue retry, hold, release, remove.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/selection.h"
#include "lib/log.h"
#include "mail/msgid.h"
#include "queue/admin_command.h"
#include "queue/bodyfile.h"
#include "queue/byhand.h"
#include "queue/flow.h"

/* As the log has them. */
static const char *const names[QUEUE_VERBS] = {
	[QUEUE_RETRY] = "queue.retry",
	[QUEUE_HOLD] = "queue.hold",
	[QUEUE_RELEASE] = "queue.release",
	[QUEUE_REMOVE] = "queue.remove",
};

static void
log_change(const struct admin *op)
{
	char which[SELECTION_SIZE];

	if (op->cmd.id != 0)
		msgid_format(op->cmd.id, which);
	else
		selection_write(&op->cmd, which);
	log_event("admin.change", "by=%s what=%s selection=%s count=%llu",
	    log_quote(op->by), names[op->cmd.verb], log_quote(which),
	    (unsigned long long)op->count);
}

static void
finish_change(struct admin *op)
{
	const struct msg_queue_cmd *q = &op->cmd;

	if (!q->count_only)
		log_change(op);
	if (q->id != 0 && op->count == 0 && !op->seen) {
		admin_done(
		    op, CODE_MISSING, "there is no such message in the queue");
		return;
	}
	if (q->verb == QUEUE_RETRY && q->all && !q->count_only)
		flow_wake_all();
	admin_done(op, CODE_OK, "");
}

struct deed {
	struct byhand hand; /* the first member */
	struct admin *op;
};

static void
written(struct change *c)
{
	struct deed *d = (struct deed *)c;
	struct admin *op = d->op;

	for (unsigned i = 0; i < d->hand.nfiles; i++)
		bodyfile_remove(d->hand.files[i]);
	free(d);
	op->writing = false;
	if (op->listed_all && !op->gone)
		finish_change(op);
}

void
admin_change(struct admin *op)
{
	static struct found f;
	struct deed *d;

	op->listed_all = !admin_find(op, &f);
	op->seen |= f.n > 0;
	if (op->cmd.count_only)
		op->count += f.n;
	if (f.n == 0 || op->cmd.count_only) {
		if (op->listed_all)
			finish_change(op);
		return;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		abort();
	d->op = op;
	d->hand.change.durable = written;
	d->hand.named = op->cmd.id != 0;
	d->hand.verb = (enum queue_verb)op->cmd.verb;
	memcpy(d->hand.by, op->by, sizeof(op->by));
	memcpy(d->hand.domain, op->cmd.domain, sizeof(op->cmd.domain));
	for (unsigned i = 0; i < f.n; i++)
		d->hand.ids[d->hand.n++] = f.rows[i].id;
	op->writing = true;
	byhand_do(&d->hand);
	op->count += d->hand.changed;
}
