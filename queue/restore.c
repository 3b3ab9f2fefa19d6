/*
 * restore.c - see restore.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "mail/utf8.h"
#include "queue/bodyfile.h"
#include "queue/envelope.h"
#include "queue/history.h"
#include "queue/job.h"
#include "queue/refill.h"
#include "queue/restore.h"
#include "queue/spool.h"
#include "queue/spooled.h"

/* A sender may have put it off for as long, and we a little more. */
#define DUE_MOST_MS ((uint64_t)(CONF_TIME_MOST + 366 * 86400) * 1000)

struct part_row {
	uint32_t n;
	struct job_row row; /* its bulk is its own */
	unsigned nrcpts, nanswers, waiting;
};

struct message {
	struct change change;      /* the first member */
	struct bodyfile_keep keep; /* of a body in a file */
	struct restore *from;
	uint64_t id;
	struct message_row row;
	uint8_t added[ADDED_MAX];
	struct part_row *parts;
	unsigned nparts, size;
	unsigned nrcpts, waiting;
	struct body *body; /* NULL: in a file */
	int fd;
	uint64_t got; /* bytes of the body */
	uint8_t last; /* of them */
};

struct restore {
	void (*idle)(void *arg);
	void *arg;
	bool begun, waited;
	char fault[400];
	uint64_t last_id;
	uint64_t done;
	unsigned pending; /* on their way to the disk */
	struct message *now;
	/* Of the job whose recipients come. */
	uint8_t rcpts[RCPTS_MAX];
	uint8_t answers[JOB_ANSWERS_MAX];
};

static void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < m->nparts; i++) {
		free((void *)(uintptr_t)m->parts[i].row.rcpts.data);
		free((void *)(uintptr_t)m->parts[i].row.answers.data);
	}
	free(m->parts);
	body_free(m->body);
	if (m->fd != -1)
		close(m->fd);
	free(m);
}

struct restore *
restore_new(void (*idle)(void *arg), void *arg)
{
	struct restore *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->idle = idle;
	r->arg = arg;
	return r;
}

static void
drop_message(struct restore *r)
{
	if (r->now != NULL && r->now->fd != -1)
		bodyfile_remove(r->now->id);
	message_free(r->now);
	r->now = NULL;
}

void
restore_free(struct restore *r)
{
	if (r == NULL)
		return;
	drop_message(r);
	r->idle = NULL;
	if (r->pending == 0)
		free(r);
}

const char *
restore_fault(const struct restore *r)
{
	return r->fault[0] != '\0' ? r->fault : NULL;
}

uint64_t
restore_count(const struct restore *r)
{
	return r->done;
}

/* One is on the disk, or cannot be. */
static void
settle(struct restore *r)
{
	r->pending--;
	if (r->pending > 0)
		return;
	if (r->idle == NULL) {
		free(r);
	} else if (r->waited) {
		r->waited = false;
		r->idle(r->arg);
	}
}

void
restore_wait(struct restore *r)
{
	r->waited = true;
	r->pending++;
	settle(r);
}

static void fail(struct restore *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fail(struct restore *r, const char *fmt, ...)
{
	char id[MSGID_SIZE] = "";
	va_list ap;
	int n = 0;

	if (r->fault[0] != '\0')
		return;
	if (r->now != NULL) {
		msgid_format(r->now->id, id);
		n = snprintf(r->fault, sizeof(r->fault), "message %s: ", id);
	}
	va_start(ap, fmt);
	vsnprintf(r->fault + n, sizeof(r->fault) - (size_t)n, fmt, ap);
	va_end(ap);
	drop_message(r);
}

static void *
keep_copy(const uint8_t *data, size_t n)
{
	uint8_t *p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		abort();
	if (n > 0)
		memcpy(p, data, n);
	return p;
}

/* The rows of the last job are complete, and its bytes become its own. */
static bool
end_job(struct restore *r)
{
	struct message *m = r->now;
	struct part_row *p;

	if (m->nparts == 0)
		return true;
	p = &m->parts[m->nparts - 1];
	if (p->row.rcpts.data != NULL)
		return true;
	p->row.rcpts.data = keep_copy(r->rcpts, p->row.rcpts.len);
	p->row.answers.data = keep_copy(r->answers, p->row.answers.len);
	m->nrcpts += p->nrcpts;
	m->waiting += p->waiting;
	if (p->waiting == 0) {
		fail(r, "nobody waits in one of its jobs");
		return false;
	}
	return true;
}

static void
begin_message(struct restore *r, const struct msg_spool_message *s)
{
	const char *why;
	struct message *m;

	if (r->now != NULL) {
		fail(r, "its body is missing");
		return;
	}
	if (!r->begun && group_totals()->messages > 0) {
		fail(r,
		    "the spool is not empty; restore into an empty state "
		    "directory ([paths] state)");
		return;
	}
	r->begun = true;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		abort();
	m->from = r;
	m->fd = -1;
	m->id = s->id;
	r->now = m;
	if ((why = spooled_fault(s, r->last_id)) != NULL) {
		fail(r, "%s", why);
		return;
	}
	r->last_id = s->id;
	spooled_unpack(&m->row, s);
	if (s->added.len > 0)
		memcpy(m->added, s->added.data, s->added.len);
	m->row.added.data = m->added;
}

static void
begin_job(struct restore *r, const struct msg_spool_job *s)
{
	struct message *m = r->now;
	struct part_row *p;
	uint64_t now = (uint64_t)loop_wall_ms();

	if (m->got > 0 || !end_job(r))
		return;
	if (m->nparts >= ENVELOPE_MOST ||
	    (m->nparts > 0 && s->n <= m->parts[m->nparts - 1].n) ||
	    s->noticed > 1 || s->attempts > 1000000 ||
	    s->due > now + DUE_MOST_MS) {
		fail(r, "a job of it is out of its range");
		return;
	}
	if (m->nparts == m->size) {
		m->size = m->size ? 2 * m->size : 4;
		m->parts = realloc(m->parts, m->size * sizeof(m->parts[0]));
		if (m->parts == NULL)
			abort();
	}
	p = &m->parts[m->nparts++];
	memset(p, 0, sizeof(*p));
	p->n = s->n;
	memcpy(p->row.domain, s->domain, sizeof(p->row.domain));
	p->row.attempts = s->attempts;
	p->row.noticed = s->noticed;
	/* What an admin holds has no place in the schedule. */
	if (!m->row.held)
		p->row.due = s->due != 0 ? s->due : now;
}

static void
add_answer(struct restore *r, const struct msg_spool_answer *s)
{
	struct part_row *p = &r->now->parts[r->now->nparts - 1];
	static uint8_t item[sizeof(struct answer_row) + 64];
	struct answer_row a;
	size_t n, len = 0;

	spooled_unpack_answer(&a, s);
	n = answer_pack(&a, item, sizeof(item));
	if (n > 0 && p->nrcpts == 0 && p->nanswers < JOB_RCPTS &&
	    s->code <= 999)
		len = list_add(r->answers, sizeof(r->answers),
		    p->row.answers.len, item, n);
	if (len == 0) {
		fail(r, "an answer is out of its range");
		return;
	}
	p->row.answers.len = len;
	p->nanswers++;
}

static void
add_rcpt(struct restore *r, const struct msg_spool_rcpt *s)
{
	struct part_row *p = &r->now->parts[r->now->nparts - 1];
	struct rcpt_item item = { .notify = (uint8_t)s->notify };
	uint8_t packed[RCPT_ITEM_MAX];
	enum rcpt_state state;
	struct bytes b = { packed, 0 };
	size_t len = 0;

	memcpy(item.address, s->address, sizeof(item.address));
	memcpy(item.orcpt, s->orcpt, sizeof(item.orcpt));
	if (!envelope_address_valid(s->address) || s->notify > 15 ||
	    strcmp(strrchr(s->address, '@') + 1, p->row.domain) != 0 ||
	    !utf8_text(s->orcpt, strlen(s->orcpt)) ||
	    !spooled_state_find(s->state, &state) ||
	    (s->answer != NO_ANSWER && s->answer >= p->nanswers)) {
		fail(r, "a recipient of it is malformed");
		return;
	}
	b.len = rcpt_pack(&item, packed);
	if (rcpt_unpack(&item, b) && p->nrcpts < JOB_RCPTS &&
	    r->now->nrcpts + p->nrcpts < ENVELOPE_MOST)
		len = job_pack_rcpt(r->rcpts, sizeof(r->rcpts),
		    p->row.rcpts.len, state, (uint8_t)s->answer, b);
	if (len == 0) {
		fail(r, "it has too many recipients in a job");
		return;
	}
	p->row.rcpts.len = len;
	p->nrcpts++;
	p->waiting += state == RCPT_WAITING;
}

/*
 * What goes out in lines must be lines: a bare CR or LF is how a second
 * message is smuggled in.  False when one is there.
 */
static bool
lines_whole(struct message *m, struct bytes piece)
{
	uint8_t before = m->last;

	for (size_t i = 0; i < piece.len; i++) {
		uint8_t c = piece.data[i];

		if (c == 0 || (before == '\r') != (c == '\n'))
			return false;
		before = c;
	}
	m->last = before;
	return true;
}

static bool
body_begin(struct restore *r)
{
	struct message *m = r->now;

	if (!end_job(r))
		return false;
	if (m->nparts == 0 || m->row.rcpts < m->nrcpts) {
		fail(r, "it has no recipients, or too many");
		return false;
	}
	m->row.jobs = m->nparts;
	if (m->row.size <= BODY_ROWS_MAX) {
		m->body = body_new(m->row.size);
		return true;
	}
	m->row.body = BODY_FILE;
	if ((m->fd = bodyfile_new(m->id)) == -1) {
		fail(r, "its body cannot be written: %s", strerror(errno));
		return false;
	}
	return true;
}

static void
write_part(struct txn *t, const struct message *m, const struct part_row *p)
{
	struct due_key key = { p->row.due, m->id, p->n };
	struct due_row due = { hash64(m->row.account), hash64(p->row.domain),
		(p->row.noticed ? DUE_NOTICED : 0) |
		    (m->row.options.by != 0 ? DUE_DEADLINE : 0) };

	t_job_put(t, m->id, p->n, &p->row);
	if (key.time != 0)
		t_due_put(t, &key, &due);
}

static void
write_event(struct txn *t, struct totals *totals, const struct message *m)
{
	char detail[128];

	snprintf(detail, sizeof(detail),
	    "restored from a backup; accepted=%" PRIu64
	    " rcpts=%u size=%" PRIu64,
	    m->row.accepted / 1000, m->row.rcpts, m->row.size);
	spool_note_accepted(
	    t, totals, m->id, &m->row, (uint64_t)loop_wall_ms(), detail);
}

static void
write_rows(struct txn *t, struct totals *totals, struct change *c)
{
	struct message *m = (struct message *)c;

	/* In the table at once: what is looked for in the log begins at an
	 * id, and these are old. */
	if (m->body != NULL) {
		t_body_put_rows(t, m->id, m->body->data, m->body->len);
		m->row.body = BODY_ROWS;
	}
	t_message_put(t, m->id, &m->row);
	for (unsigned i = 0; i < m->nparts; i++)
		write_part(t, m, &m->parts[i]);
	write_event(t, totals, m);
	totals->messages++;
	totals->waiting += m->waiting;
	if (m->id > totals->last_id)
		totals->last_id = m->id;
}

static void
visible(struct change *c)
{
	struct message *m = (struct message *)c;

	for (unsigned i = 0; i < m->nparts; i++) {
		struct due_key key = { m->parts[i].row.due, m->id,
			m->parts[i].n };

		if (key.time != 0)
			refill_expect(&key);
	}
}

static void
durable(struct change *c)
{
	struct message *m = (struct message *)c;
	struct restore *r = m->from;

	r->done++;
	message_free(m);
	settle(r);
}

static void
add(struct message *m)
{
	m->change.apply = write_rows;
	m->change.committed = visible;
	m->change.durable = durable;
	group_add(&m->change, HURRY_NOW);
}

static void
on_kept(struct bodyfile_keep *k)
{
	struct message *m =
	    (struct message *)((char *)k - offsetof(struct message, keep));
	struct restore *r = m->from;

	m->fd = k->fd;
	if (k->error == 0) {
		add(m);
		return;
	}
	if (r->fault[0] == '\0')
		snprintf(r->fault, sizeof(r->fault),
		    "a body cannot be kept: %s", strerror(k->error));
	bodyfile_remove(m->id);
	message_free(m);
	settle(r);
}

static void
end_message(struct restore *r)
{
	struct message *m = r->now;

	if (m->got != m->row.size) {
		fail(r, "its body is shorter than its row says");
		return;
	}
	if (m->last == '\r' && !(m->row.flags & TX_BINARY)) {
		fail(r, "its body is not made of lines");
		return;
	}
	r->now = NULL;
	r->pending++;
	if (m->body != NULL) {
		add(m);
		return;
	}
	m->keep = (struct bodyfile_keep){
		.id = m->id, .size = m->row.size, .fd = m->fd, .done = on_kept
	};
	m->fd = -1;
	bodyfile_keep(&m->keep);
}

static void
add_body(struct restore *r, const struct msg_spool_body *s)
{
	struct message *m = r->now;
	struct bytes b = s->piece;

	if (m->body == NULL && m->fd == -1 && !body_begin(r))
		return;
	if (b.len > m->row.size - m->got) {
		fail(r, "its body is longer than its row says");
		return;
	}
	if (!(m->row.flags & TX_BINARY) && !lines_whole(m, b)) {
		fail(r, "its body is not made of lines");
		return;
	}
	if (lines_eight_bit((const char *)b.data, b.len))
		m->row.flags |= TX_8BIT;
	if (m->body != NULL) {
		if (b.len > 0)
			memcpy(m->body->data + m->got, b.data, b.len);
	} else if (write(m->fd, b.data, b.len) != (ssize_t)b.len) {
		fail(r, "its body cannot be written: the disk may be full");
		return;
	}
	m->got += b.len;
	if (s->last)
		end_message(r);
}

void
restore_take(struct restore *r, const struct msg *m)
{
	const struct message *now = r->now;

	if (r->fault[0] != '\0')
		return;
	if (m->type == MSG_RESTORE_MESSAGE)
		begin_message(r, &m->u.spool_message);
	else if (now == NULL)
		fail(r, "a row belongs to no message");
	else if (m->type == MSG_RESTORE_BODY)
		add_body(r, &m->u.spool_body);
	else if (now->body != NULL || now->fd != -1)
		fail(r, "a row comes behind the body");
	else if (m->type == MSG_RESTORE_JOB)
		begin_job(r, &m->u.spool_job);
	else if (now->nparts == 0)
		fail(r, "a row belongs to no job");
	else if (m->type == MSG_RESTORE_ANSWER)
		add_answer(r, &m->u.spool_answer);
	else
		add_rcpt(r, &m->u.spool_rcpt);
}
