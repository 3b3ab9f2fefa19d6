/*
 * admin_list.c - queue list, and which messages a command selects.
 */
#include <string.h>
#include <strings.h>

#include "queue/admin_command.h"
#include "queue/show.h"

/* In one turn of the loop, for a message to 45,000 has hundreds of jobs. */
#define LOOKED_MOST 256
#define JOBS_MOST   500

/* "<>" is the null path, "@example.org" any address there. */
static bool
sent_by(const char *wanted, const char *sender)
{
	const char *at = strrchr(sender, '@');

	if (strcmp(wanted, "<>") == 0)
		return sender[0] == '\0';
	if (wanted[0] == '@')
		return at != NULL && strcasecmp(wanted, at) == 0;
	return strcmp(wanted, sender) == 0;
}

static bool
selected(
    const struct msg_queue_cmd *q, uint64_t id, const struct message_row *m)
{
	if (q->id != 0)
		return id == q->id;
	return (q->account[0] == '\0' || strcmp(q->account, m->account) == 0) &&
	    (q->sender[0] == '\0' || sent_by(q->sender, m->sender));
}

static bool
look_at(void *arg, uint64_t id, const struct message_row *m)
{
	struct found *f = arg;

	if (f->op->cmd.id != 0 && id != f->op->cmd.id)
		return false;
	f->last = id;
	if (selected(&f->op->cmd, id, m)) {
		show_message(&f->rows[f->n++], id, m);
		f->jobs += m->jobs;
	}
	return ++f->looked < LOOKED_MOST && f->n < FOUND_MOST &&
	    f->jobs < JOBS_MOST;
}

bool
admin_find(struct admin *op, struct found *f)
{
	const struct msg_queue_cmd *q = &op->cmd;
	unsigned n = 0;
	bool more;

	f->op = op;
	f->looked = f->n = f->jobs = 0;
	f->last = op->at;
	more =
	    t_message_walk(op->cmd.id != 0 ? op->cmd.id : op->at, look_at, f);
	/* Without a domain a change asks only which messages. */
	for (unsigned i = 0; i < f->n; i++)
		if ((q->verb != QUEUE_LIST && q->domain[0] == '\0') ||
		    show_jobs(&f->rows[i], q->domain))
			f->rows[n++] = f->rows[i];
	f->n = n;
	op->at = f->last + 1;
	return more && op->cmd.id == 0;
}

void
admin_list(struct admin *op)
{
	static struct found f;
	bool more = admin_find(op, &f);
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };

	for (unsigned i = 0; i < f.n; i++) {
		if (op->count == op->cmd.limit) {
			admin_done(op, CODE_OK, "");
			return;
		}
		m.u.queue_row = f.rows[i];
		channel_send(&op->channel, &m, -1);
		op->shown = f.rows[i].id;
		op->count++;
	}
	if (!more) {
		op->listed_all = true;
		admin_done(op, CODE_OK, "");
	}
}
