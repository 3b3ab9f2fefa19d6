/*
 * restore_row.c - the rows of a backup as they come: checked, and made into
 * a message.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/loop.h"
#include "mail/lines.h"
#include "mail/utf8.h"
#include "queue/envelope.h"
#include "queue/restore_parts.h"
#include "queue/spooled.h"

static_assert(
    SPOOL_NO_ANSWER == NO_ANSWER, "a number goes in and out as it is kept");

/* A sender may have put it off for as long, and we a little more. */
#define DUE_MOST_MS ((uint64_t)(CONF_TIME_MOST + 366 * 86400) * 1000)

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
		restore_fail(r, "nobody waits in one of its jobs");
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
		restore_fail(r, "its body is missing");
		return;
	}
	if (!r->begun && group_totals()->messages > 0) {
		restore_fail(r,
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
		restore_fail(r, "%s", why);
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
		restore_fail(r, "a job of it is out of its range");
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
		restore_fail(r, "an answer is out of its range");
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
	    (s->answer != SPOOL_NO_ANSWER && s->answer >= p->nanswers)) {
		restore_fail(r, "a recipient of it is malformed");
		return;
	}
	b.len = rcpt_pack(&item, packed);
	if (rcpt_unpack(&item, b) && p->nrcpts < JOB_RCPTS &&
	    r->now->nrcpts + p->nrcpts < ENVELOPE_MOST)
		len = job_pack_rcpt(r->rcpts, sizeof(r->rcpts),
		    p->row.rcpts.len, state, (uint8_t)s->answer, b);
	if (len == 0) {
		restore_fail(r, "it has too many recipients in a job");
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
		restore_fail(r, "it has no recipients, or too many");
		return false;
	}
	m->row.jobs = m->nparts;
	if (m->row.size <= BODY_ROWS_MAX) {
		m->body = body_new(m->row.size);
		return true;
	}
	m->row.body = BODY_FILE;
	if ((m->fd = bodyfile_new(m->id)) == -1) {
		restore_fail(
		    r, "its body cannot be written: %s", strerror(errno));
		return false;
	}
	return true;
}

static void
end_message(struct restore *r)
{
	struct message *m = r->now;

	if (m->got != m->row.size) {
		restore_fail(r, "its body is shorter than its row says");
		return;
	}
	if (m->last == '\r' && !(m->row.flags & TX_BINARY)) {
		restore_fail(r, "its body is not made of lines");
		return;
	}
	restore_keep(r);
}

static void
add_body(struct restore *r, const struct msg_spool_body *s)
{
	struct message *m = r->now;
	struct bytes b = s->piece;

	if (m->body == NULL && m->fd == -1 && !body_begin(r))
		return;
	if (b.len > m->row.size - m->got) {
		restore_fail(r, "its body is longer than its row says");
		return;
	}
	if (!(m->row.flags & TX_BINARY) && !lines_whole(m, b)) {
		restore_fail(r, "its body is not made of lines");
		return;
	}
	if (lines_eight_bit((const char *)b.data, b.len))
		m->row.flags |= TX_8BIT;
	if (m->body != NULL) {
		if (b.len > 0)
			memcpy(m->body->data + m->got, b.data, b.len);
	} else if (write(m->fd, b.data, b.len) != (ssize_t)b.len) {
		restore_fail(
		    r, "its body cannot be written: the disk may be full");
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
		restore_fail(r, "a row belongs to no message");
	else if (m->type == MSG_RESTORE_BODY)
		add_body(r, &m->u.spool_body);
	else if (now->body != NULL || now->fd != -1)
		restore_fail(r, "a row comes behind the body");
	else if (m->type == MSG_RESTORE_JOB)
		begin_job(r, &m->u.spool_job);
	else if (now->nparts == 0)
		restore_fail(r, "a row belongs to no job");
	else if (m->type == MSG_RESTORE_ANSWER)
		add_answer(r, &m->u.spool_answer);
	else
		add_rcpt(r, &m->u.spool_rcpt);
}
