/*
 * backup.c - every message that waits, told to an operator while the queue
 * works.
 *
 * A message is read in one turn of the loop, so its rows and its body belong
 * together.  Between two of them the queue goes on: one that leaves meanwhile
 * is not told, and one that came behind the start may be.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipc/rcpt.h"
#include "lib/log.h"
#include "mail/msgid.h"
#include "queue/admin_command.h"
#include "queue/bodyfile.h"
#include "queue/digest.h"
#include "queue/spooled.h"
#include "queue/t_body.h"

#define SLICE_MESSAGES 32
/* What waits to be read by the other side before the next message is. */
#define SLICE_BYTES ((size_t)256 << 10)

struct telling {
	struct admin *op;
	uint64_t id; /* 0: there was none */
	struct body_at at;
	uint64_t size;
	int fd; /* of a body in a file */
	bool whole;
};

static void
say(struct admin *op, struct msg *m, int fd)
{
	m->tag = op->tag;
	channel_send(&op->channel, m, fd);
}

static void
send_answers(struct admin *op, struct bytes rest)
{
	struct msg m = { .type = MSG_SPOOL_ANSWER };
	struct answer_row a;
	struct bytes item;

	while (list_next(&rest, &item)) {
		if (!answer_unpack(&a, item))
			fatal("an answer of a job is damaged");
		spooled_pack_answer(&m.u.spool_answer, &a);
		say(op, &m, -1);
	}
}

static void
send_rcpts(struct admin *op, struct bytes rest)
{
	struct msg m = { .type = MSG_SPOOL_RCPT };
	struct msg_spool_rcpt *s = &m.u.spool_rcpt;
	struct rcpt_item r;
	struct bytes item;

	while (list_next(&rest, &item)) {
		if (item.len < 2 || item.data[0] >= RCPT_STATES ||
		    !rcpt_unpack(
			&r, (struct bytes){ item.data + 2, item.len - 2 }))
			fatal("a recipient of a job is damaged");
		memcpy(s->address, r.address, sizeof(s->address));
		snprintf(s->state, sizeof(s->state), "%s",
		    spooled_state_name(item.data[0]));
		s->answer = item.data[1];
		s->notify = r.notify;
		memcpy(s->orcpt, r.orcpt, sizeof(s->orcpt));
		say(op, &m, -1);
	}
}

static bool
send_job(void *arg, uint64_t id, uint32_t n, const struct job_row *j)
{
	struct telling *t = arg;
	struct msg m = { .type = MSG_SPOOL_JOB };
	struct msg_spool_job *s = &m.u.spool_job;

	if (id != t->id)
		return false;
	s->n = n;
	memcpy(s->domain, j->domain, sizeof(s->domain));
	s->attempts = j->attempts;
	s->noticed = j->noticed;
	s->due = j->due;
	say(t->op, &m, -1);
	send_answers(t->op, j->answers);
	send_rcpts(t->op, j->rcpts);
	return true;
}

static uint8_t body[BODY_ROWS_MAX];

/* The body first: a message without one is not told. */
static bool
read_body(struct telling *t)
{
	if (t->at.kind == BODY_FILE)
		return (t->fd = bodyfile_read(t->id)) != -1;
	return t->size <= sizeof(body) &&
	    t_body_get(t->at, t->id, body, t->size);
}

static bool
look_at(void *arg, uint64_t id, const struct message_row *r)
{
	struct telling *t = arg;
	struct msg m = { .type = MSG_SPOOL_MESSAGE };

	t->id = id;
	t->at = (struct body_at){ (enum body_kind)r->body, r->place };
	t->size = r->size;
	t->whole = read_body(t);
	if (t->whole) {
		spooled_pack(&m.u.spool_message, id, r);
		say(t->op, &m, -1);
	}
	return false;
}

static void
send_body(struct telling *t)
{
	struct msg m = { .type = MSG_SPOOL_BODY };
	struct msg_spool_body *s = &m.u.spool_body;
	size_t at = 0;

	if (t->fd != -1) {
		s->last = 1;
		say(t->op, &m, t->fd);
		close(t->fd);
		return;
	}
	while (!s->last) {
		s->piece = (struct bytes){ body + at,
			t->size - at < SPOOL_PIECE ? t->size - at
						   : SPOOL_PIECE };
		at += s->piece.len;
		s->last = at == t->size;
		say(t->op, &m, -1);
	}
}

static void
missing(struct admin *op, uint64_t id)
{
	char name[MSGID_SIZE];

	msgid_format(id, name);
	log_event("warning", "text=%s id=%s",
	    log_quote("a body is missing, so the message is in no backup"),
	    name);
	op->missing++;
}

static void
end(struct admin *op)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "the bodies of %u messages are missing (postern check store)",
	    op->missing);
	if (op->missing > 0)
		admin_done(op, CODE_NO, text);
	else
		admin_done(op, CODE_OK, "");
}

/* Failures that wait to be told are no messages yet. */
static void
begin(struct admin *op)
{
	digest_tell_all();
	log_event("admin.backup", "by=%s", log_quote(op->by));
}

void
admin_backup_begin(struct admin *op)
{
	op->at = 1;
	op->missing = 0;
	if (!op->root)
		admin_done(op, CODE_DENIED,
		    "a backup holds mail and keys: only root may make one");
	else
		begin(op);
}

void
admin_backup(struct admin *op)
{
	struct telling t = { .op = op };

	for (int i = 0; i < SLICE_MESSAGES; i++) {
		if (channel_backlog(&op->channel) > SLICE_BYTES)
			return;
		t.id = 0;
		t.fd = -1;
		t_message_walk(op->at, look_at, &t);
		if (t.id == 0) {
			end(op);
			return;
		}
		op->at = t.id + 1;
		if (!t.whole) {
			missing(op, t.id);
			continue;
		}
		t_job_walk(NULL, t.id, 0, send_job, &t);
		send_body(&t);
		op->count++;
		/* Descriptors on their way are few. */
		if (t.fd != -1)
			return;
	}
}
