/*
 * byhand.c - see byhand.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/byhand.h"
#include "queue/flow.h"
#include "queue/history.h"
#include "queue/refill.h"
#include "queue/spool.h"

/* What is known of a job when its message is changed. */
struct sketch {
	uint32_t n;
	uint64_t due;
	struct due_row row;
	unsigned waiting;
};

struct sketches {
	const struct byhand *b;
	uint64_t id;
	uint64_t account; /* its hash */
	struct conf_mail mail;
	uint32_t marks; /* of all its rows in the schedule */
	struct sketch *list;
	unsigned n, size;
};

static bool
sketch(void *arg, uint64_t id, uint32_t n, const struct job_row *row)
{
	struct sketches *s = arg;
	struct bytes rest = row->rcpts, item;
	struct sketch *k;

	if (id != s->id)
		return false;
	if (s->b->domain[0] != '\0' && strcmp(row->domain, s->b->domain) != 0 &&
	    (s->b->verb == QUEUE_RETRY || s->b->verb == QUEUE_REMOVE))
		return true;
	if (s->b->verb == QUEUE_RETRY) {
		s->mail.domain = row->domain;
		flow_wake(&s->mail);
	}
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 16;
		s->list = realloc(s->list, s->size * sizeof(s->list[0]));
		if (s->list == NULL)
			abort();
	}
	k = &s->list[s->n++];
	*k = (struct sketch){ .n = n,
		.due = row->due,
		.row = { s->account, hash64(row->domain),
		    (row->noticed ? DUE_NOTICED : 0) | s->marks } };
	while (list_next(&rest, &item))
		k->waiting += item.len > 0 && item.data[0] == RCPT_WAITING;
	return true;
}

static void
journal(struct txn *t, struct totals *totals, const struct byhand *b,
    uint64_t id, enum event_kind event, bool final)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct journal_row e = { .id = id, .event = event, .final = final };
	struct message_row m;

	if (t_message_get(t, id, &m, buf))
		memcpy(e.account, m.account, sizeof(e.account));
	snprintf(e.detail, sizeof(e.detail), "by %s%s%s", b->by,
	    b->domain[0] != '\0' ? " domain " : "", b->domain);
	history_add(t, totals, (uint64_t)loop_wall_ms(), &e);
}

/* The job's row with another time, here and in the schedule. */
static void
reschedule(struct txn *t, uint64_t id, const struct sketch *k, uint64_t due)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct due_key was = { k->due, id, k->n }, key = { due, id, k->n };
	struct job_row row;

	if (!t_job_get(t, id, k->n, &row, buf))
		return;
	if (k->due != 0)
		t_due_del(t, &was);
	row.due = due;
	t_job_put(t, id, k->n, &row);
	t_due_put(t, &key, &k->row);
	refill_expect(&key);
}

static bool
retry(struct txn *t, struct totals *totals, struct byhand *b,
    const struct sketches *s, struct message_row *m)
{
	uint64_t now = (uint64_t)loop_wall_ms();

	if (m->held || s->n == 0 || letter_waits(m, now))
		return false;
	for (unsigned i = 0; i < s->n; i++)
		if (job_find(s->id, s->list[i].n) == NULL &&
		    s->list[i].due > now)
			reschedule(t, s->id, &s->list[i], now);
	journal(t, totals, b, s->id, EVENT_RETRIED, false);
	return true;
}

/* A ready job becomes a row again; what is new or flying learns of it later,
 * when it asks its letter. */
static void
forget_ready(uint64_t id, uint32_t n)
{
	struct job *j = job_find(id, n);

	if (j != NULL && j->state == JOB_READY)
		flow_unload(j);
}

static bool
hold(struct txn *t, struct totals *totals, struct byhand *b,
    const struct sketches *s, struct message_row *m)
{
	struct letter *l = letter_find(s->id);

	if (m->held)
		return false;
	m->held = 1;
	t_message_put(t, s->id, m);
	if (l != NULL)
		l->held = true;
	for (unsigned i = 0; i < s->n; i++) {
		struct due_key key = { s->list[i].due, s->id, s->list[i].n };

		if (key.time != 0)
			t_due_del(t, &key);
		forget_ready(s->id, key.n);
	}
	journal(t, totals, b, s->id, EVENT_HELD, false);
	return true;
}

/* Jobs that wait for an operator, because a recipient is uncertain. */
static bool
any_held(const struct sketches *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->list[i].due == 0)
			return true;
	return false;
}

static bool
release(struct txn *t, struct totals *totals, struct byhand *b,
    const struct sketches *s, struct message_row *m)
{
	struct letter *l = letter_find(s->id);
	uint64_t due = (uint64_t)loop_wall_ms();
	bool waits = letter_waits(m, due), only_held;
	struct job *j;

	if (!m->held && !(waits && b->named) && !any_held(s))
		return false;
	only_held = !m->held && !waits;
	/* What was held for both reasons goes back to wait for its time. */
	if (m->held && waits)
		due = letter_begun(m->accepted, &m->options);
	else if (waits)
		m->options.hold_until = due / 1000;
	m->held = 0;
	t_message_put(t, s->id, m);
	if (l != NULL) {
		l->held = false;
		l->options = m->options;
		l->begun = letter_begun(m->accepted, &m->options);
	}
	for (unsigned i = 0; i < s->n; i++) {
		if (only_held && s->list[i].due != 0)
			continue;
		j = job_find(s->id, s->list[i].n);
		reschedule(t, s->id, &s->list[i], due);
		if (j != NULL)
			j->due = due;
	}
	journal(t, totals, b, s->id, EVENT_RELEASED, false);
	return true;
}

static void
remove_job(struct txn *t, uint64_t id, const struct sketch *k)
{
	struct due_key key = { k->due, id, k->n };
	struct job *j;

	t_job_del(t, id, k->n);
	if (k->due != 0)
		t_due_del(t, &key);
	forget_ready(id, k->n);
	if ((j = job_find(id, k->n)) != NULL)
		j->removed = true;
}

static bool
take_away(struct txn *t, struct totals *totals, struct byhand *b,
    const struct sketches *s, struct message_row *m)
{
	struct letter *l;
	struct body_at at;

	if (s->n == 0)
		return false;
	for (unsigned i = 0; i < s->n; i++) {
		remove_job(t, s->id, &s->list[i]);
		m->dropped += s->list[i].waiting;
		totals->waiting -= s->list[i].waiting;
	}
	m->jobs -= s->n;
	if ((l = letter_find(s->id)) != NULL) {
		l->left = m->jobs;
		l->dropped = m->dropped;
	}
	journal(t, totals, b, s->id, EVENT_REMOVED, m->jobs == 0);
	if (m->jobs > 0) {
		t_message_put(t, s->id, m);
		return true;
	}
	at = (struct body_at){ (enum body_kind)m->body, m->place };
	spool_forget(t, totals, s->id, at, m->size);
	if (m->body == BODY_FILE)
		b->files[b->nfiles++] = s->id;
	return true;
}

static const struct {
	bool (*act)(struct txn *, struct totals *, struct byhand *,
	    const struct sketches *, struct message_row *);
	const char *event;
} acts[QUEUE_VERBS] = {
	[QUEUE_RETRY] = { retry, "msg.retried" },
	[QUEUE_HOLD] = { hold, "msg.held" },
	[QUEUE_RELEASE] = { release, "msg.released" },
	[QUEUE_REMOVE] = { take_away, "msg.removed" },
};

static void
apply(struct txn *t, struct totals *totals, struct change *c)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct byhand *b = (struct byhand *)c;
	struct sketches s = { .b = b };
	struct message_row m;

	for (unsigned i = 0; i < b->n; i++) {
		s.id = b->ids[i];
		s.n = 0;
		if (!t_message_get(t, s.id, &m, buf))
			continue;
		s.account = hash64(m.account);
		s.mail = (struct conf_mail){ NULL, m.account, m.sender };
		s.marks = m.options.by != 0 ? DUE_DEADLINE : 0;
		t_job_walk(t, s.id, 0, sketch, &s);
		if (acts[b->verb].act(t, totals, b, &s, &m))
			b->ids[b->changed++] = s.id;
	}
	free(s.list);
}

static void
tell(struct change *c)
{
	struct byhand *b = (struct byhand *)c;
	char id[MSGID_SIZE];

	for (unsigned i = 0; i < b->changed; i++) {
		msgid_format(b->ids[i], id);
		log_event(
		    acts[b->verb].event, "id=%s by=%s", id, log_quote(b->by));
	}
}

void
byhand_do(struct byhand *b)
{
	group_commit(); /* what is about to happen to the same rows */
	b->change.apply = apply;
	b->change.committed = tell;
	b->changed = b->nfiles = 0;
	group_add(&b->change, HURRY_NOW);
	group_commit();
}
