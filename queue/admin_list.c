/*
 * admin_list.c - queue list, and which messages a command selects.
 */
#include <string.h>

#include "queue/admin_command.h"
#include "queue/show.h"

static bool
selected(
    const struct msg_queue_cmd *q, uint64_t id, const struct message_row *m)
{
	if (q->id != 0)
		return id == q->id;
	return q->account[0] == '\0' || strcmp(q->account, m->account) == 0;
}

static bool
look_at(void *arg, uint64_t id, const struct message_row *m)
{
	struct found *f = arg;

	if (f->op->cmd.id != 0 && id != f->op->cmd.id)
		return false;
	f->last = id;
	if (selected(&f->op->cmd, id, m))
		show_message(&f->rows[f->n++], id, m);
	return ++f->looked < FOUND_MOST;
}

bool
admin_find(struct admin *op, struct found *f)
{
	unsigned n = 0;
	bool more;

	f->op = op;
	f->looked = f->n = 0;
	f->last = op->at;
	more =
	    t_message_walk(op->cmd.id != 0 ? op->cmd.id : op->at, look_at, f);
	for (unsigned i = 0; i < f->n; i++)
		if (show_jobs(&f->rows[i], op->cmd.domain))
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
