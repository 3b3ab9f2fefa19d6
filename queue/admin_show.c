/*
 * admin_show.c - queue list, queue show.
 */
#include <stdio.h>
#include <string.h>

#include "queue/admin_command.h"
#include "queue/ids.h"
#include "queue/show.h"
#include "queue/t_journal.h"

#define SLICE_EVENTS 2000 /* of the journal, in one turn */
/* The journal may have an event a little before the id's own time. */
#define EVENTS_BEFORE_MS 10000

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

struct story {
	struct admin *op;
	unsigned looked;
	bool ended;
	uint64_t time, seq;
};

/* A message that left the queue, as far as the journal remembers it. */
static void
send_departed(struct admin *op, uint64_t time, const struct journal_row *j)
{
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };
	struct msg_queue_row *r = &m.u.queue_row;

	r->id = j->id;
	r->accepted = time;
	if (j->event == EVENT_ACCEPTED) {
		memcpy(r->sender, j->rcpt, sizeof(r->sender));
		memcpy(r->account, j->account, sizeof(r->account));
		memcpy(r->msgid, j->msgid, sizeof(r->msgid));
	}
	channel_send(&op->channel, &m, -1);
	op->row_sent = true;
}

static bool
tell_event(void *arg, uint64_t time, uint64_t seq, const struct journal_row *j)
{
	struct story *s = arg;
	struct msg m = { .type = MSG_EVENT_ROW, .tag = s->op->tag };
	struct msg_event_row *r = &m.u.event_row;

	s->time = time;
	s->seq = seq;
	if (j->id == s->op->cmd.id) {
		if (!s->op->row_sent)
			send_departed(s->op, time, j);
		r->time = time;
		r->id = j->id;
		snprintf(
		    r->event, sizeof(r->event), "%s", event_name(j->event));
		memcpy(r->rcpt, j->rcpt, sizeof(r->rcpt));
		memcpy(r->detail, j->detail, sizeof(r->detail));
		channel_send(&s->op->channel, &m, -1);
		s->ended = j->final != 0;
	}
	return !s->ended && ++s->looked < SLICE_EVENTS;
}

void
admin_show_begin(struct admin *op)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };
	uint64_t born = (uint64_t)id_time_ms(op->cmd.id);
	struct message_row row;

	op->event_time = born > EVENTS_BEFORE_MS ? born - EVENTS_BEFORE_MS : 0;
	op->event_seq = 0;
	op->row_sent = false;
	if (!t_message_get(NULL, op->cmd.id, &row, buf))
		return;
	show_message(&m.u.queue_row, op->cmd.id, &row);
	show_jobs(&m.u.queue_row, "");
	channel_send(&op->channel, &m, -1);
	op->row_sent = true;
	show_rcpts(&op->channel, op->tag, op->cmd.id);
}

void
admin_show(struct admin *op)
{
	struct story s = { .op = op };
	bool more =
	    t_journal_walk(op->event_time, op->event_seq, tell_event, &s);

	if (more && !s.ended) {
		op->event_time = s.time;
		op->event_seq = s.seq + 1;
		return;
	}
	if (op->row_sent)
		admin_done(op, CODE_OK, "");
	else
		admin_done(op, CODE_NOT_FOUND,
		    "neither the queue nor the journal knows this message");
}
