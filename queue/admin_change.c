/*
 * admin_change.c - queue retry, hold, release, remove.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/shell.h"
#include "mail/msgid.h"
#include "queue/admin_command.h"
#include "queue/bodyfile.h"
#include "queue/byhand.h"
#include "queue/flow.h"

/* clang-format off */
static const struct {
	const char *what;  /* of admin.change */
	const char *did;   /* "%llu messages" follows */
	const char *undo;  /* the verb, or NULL */
	const char *hint;
} verbs[QUEUE_VERBS] = {
	[QUEUE_RETRY]   = { "queue.retry",   "Trying again now:", NULL, "" },
	[QUEUE_HOLD]    = { "queue.hold",    "Held:", "release", "" },
	[QUEUE_RELEASE] = { "queue.release", "Released:", "hold", "" },
	[QUEUE_REMOVE]  = { "queue.remove",  "Removed without a bounce:", NULL,
	    " This cannot be undone." },
};
/* clang-format on */

static void
describe_selection(const struct msg_queue_cmd *q, char *out, size_t size)
{
	char id[MSGID_SIZE], word[SHELL_SIZE(ADDR_SIZE)];
	int n = 0;

	msgid_format(q->id, id);
	if (q->id != 0)
		n = snprintf(out, size, "%s", id);
	if (q->account[0] != '\0')
		n += snprintf(out + n, size - (size_t)n, " --account %s",
		    shell_word(word, sizeof(word), q->account));
	if (q->sender[0] != '\0')
		n += snprintf(out + n, size - (size_t)n, " --sender %s",
		    shell_word(word, sizeof(word), q->sender));
	if (q->domain[0] != '\0')
		n += snprintf(
		    out + n, size - (size_t)n, " --domain %s", q->domain);
	if (n == 0)
		snprintf(out, size, "--all");
	else if (out[0] == ' ')
		memmove(out, out + 1, (size_t)n);
}

static void
finish_change(struct admin *op)
{
	const struct msg_queue_cmd *q = &op->cmd;
	char which[2 * SHELL_SIZE(ADDR_SIZE) + 320];
	char undo[sizeof(which) + 80] = "", text[sizeof(undo) + 200];

	describe_selection(q, which, sizeof(which));
	if (!q->count_only)
		log_event("admin.change",
		    "by=%s what=%s selection=%s count=%llu", log_quote(op->by),
		    verbs[q->verb].what, log_quote(which),
		    (unsigned long long)op->count);
	if (q->id != 0 && op->count == 0 && !op->seen) {
		admin_done(
		    op, CODE_MISSING, "there is no such message in the queue");
		return;
	}
	if (q->verb == QUEUE_RETRY && q->all && !q->count_only)
		flow_wake_all();
	if (verbs[q->verb].undo != NULL)
		snprintf(undo, sizeof(undo), " Undo: postern queue %s %s",
		    verbs[q->verb].undo, which);
	snprintf(text, sizeof(text), "%s %llu message%s.%s%s",
	    q->count_only ? "Would concern" : verbs[q->verb].did,
	    (unsigned long long)op->count, op->count == 1 ? "" : "s",
	    q->count_only ? "" : undo,
	    q->count_only ? "" : verbs[q->verb].hint);
	admin_done(op, CODE_OK, text);
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
