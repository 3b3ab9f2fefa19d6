/*
 * spool.c - see spool.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/flow.h"
#include "queue/history.h"
#include "queue/refill.h"
#include "queue/spool.h"
#include "queue/t_body.h"

static void write_rows(struct txn *, struct totals *, struct change *);
static void bring_into_memory(struct change *);
static void become_responsible(struct change *);

struct accept *
accept_new(void)
{
	struct accept *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->change.apply = write_rows;
	a->change.committed = bring_into_memory;
	a->change.durable = become_responsible;
	return a;
}

void
accept_free(struct accept *a)
{
	envelope_clear(&a->envelope);
	body_free(a->body);
	free(a);
}

void
spool_accept(struct accept *a)
{
	a->row.added = (struct bytes){ (uint8_t *)a->added, a->added_len };
	a->row.body_hash = (struct bytes){ a->body_hash, a->hash_len };
	a->row.rcpts = a->envelope.nrcpts;
	a->row.jobs = a->envelope.nparts;
	assert(a->id != 0 && a->row.jobs > 0);
	group_add(&a->change, HURRY_NOW);
}

static void
make_job_row(const struct accept *a, const struct part *p, struct job_row *row)
{
	static uint8_t rcpts[RCPTS_MAX];
	bool delay_is_news = false;
	size_t len = 0;

	memset(row, 0, sizeof(*row));
	strncpy(row->domain, p->domain, sizeof(row->domain) - 1);
	row->due = letter_begun(a->row.accepted, &a->row.options);
	for (unsigned i = p->first; i < p->first + p->count; i++) {
		len = job_pack_rcpt(rcpts, sizeof(rcpts), len, RCPT_WAITING,
		    NO_ANSWER, a->envelope.rcpts[i].item);
		assert(len > 0);
		delay_is_news |=
		    rcpt_item_wants(a->envelope.rcpts[i].item, NOTIFY_DELAY);
	}
	row->noticed = a->no_delay_notice || !delay_is_news;
	row->rcpts = (struct bytes){ rcpts, len };
}

static void
write_job(struct txn *t, const struct accept *a, uint32_t n)
{
	const struct part *p = &a->envelope.parts[n];
	struct due_key key = { letter_begun(a->row.accepted, &a->row.options),
		a->id, n };
	struct due_row due = { hash64(a->row.account), hash64(p->domain),
		a->row.options.by != 0 ? DUE_DEADLINE : 0 };
	struct job_row row;

	make_job_row(a, p, &row);
	due.marks |= row.noticed ? DUE_NOTICED : 0;
	t_job_put(t, a->id, n, &row);
	t_due_put(t, &key, &due);
}

void
spool_note_accepted(struct txn *t, struct totals *totals, uint64_t id,
    const struct message_row *row, uint64_t when, const char *detail)
{
	struct journal_row e = { .id = id, .event = EVENT_ACCEPTED };

	memcpy(e.rcpt, row->sender, sizeof(e.rcpt));
	memcpy(e.account, row->account, sizeof(e.account));
	memcpy(e.msgid, row->msgid, sizeof(e.msgid));
	snprintf(e.detail, sizeof(e.detail), "%s", detail);
	history_add(t, totals, when, &e);
}

static void
write_rows(struct txn *t, struct totals *totals, struct change *c)
{
	struct accept *a = (struct accept *)c;
	struct body_at at;

	if (a->row.body != BODY_FILE) {
		at = t_body_put(t, a->id, a->body->data, a->body->len);
		a->row.body = at.kind;
		a->row.place = at.place;
	}
	t_message_put(t, a->id, &a->row);
	for (uint32_t n = 0; n < a->row.jobs; n++)
		write_job(t, a, n);
	spool_note_accepted(
	    t, totals, a->id, &a->row, a->row.accepted, a->detail);
	totals->messages++;
	totals->accepted++;
	totals->waiting += a->row.rcpts;
}

/* From here on an admin may see it, so it must be known here too. */
static void
bring_into_memory(struct change *c)
{
	struct accept *a = (struct accept *)c;
	struct letter *l = letter_new(a->id, &a->row);
	struct job_row row;
	char id[MSGID_SIZE];

	for (uint32_t n = 0; n < a->row.jobs; n++) {
		make_job_row(a, &a->envelope.parts[n], &row);
		job_new(l, n, &row);
	}
	if (a->row.flags & TX_BOUNCE) {
		msgid_format(a->id, id);
		log_event("msg.notice", "id=%s %s to=%s", id, a->detail,
		    log_quote(a->envelope.rcpts[0].address));
	}
	if (body_total() <= BODIES_IN_MEMORY) {
		l->body = a->body;
		a->body = NULL;
	}
}

static void
release_job(uint64_t id, uint32_t n)
{
	struct job *j = job_find(id, n);
	struct due_key key;

	assert(j != NULL && j->state == JOB_NEW);
	if (j->removed || j->letter->held) {
		job_free(j);
	} else if (j->letter->begun > (uint64_t)loop_wall_ms() &&
	    j->letter->begun > j->letter->accepted) {
		key = job_due_key(j);
		refill_expect(&key);
		job_free(j);
	} else if (!flow_admit(j)) {
		job_free(j);
	}
}

/*
 * The instant of responsibility: the log flush that covers the message has
 * returned.  Before this nobody has been told anything; from here on every
 * recipient will be delivered, bounced or removed by an admin.
 */
static void
become_responsible(struct change *c)
{
	struct accept *a = (struct accept *)c;

	CRASH_POINT("accept-durable");
	if (a->safe != NULL)
		a->safe(a);
	for (uint32_t n = 0; n < a->row.jobs; n++)
		release_job(a->id, n);
	accept_free(a);
}

void
spool_forget(struct txn *t, struct totals *totals, uint64_t id,
    struct body_at at, uint64_t size)
{
	t_message_del(t, id);
	if (at.kind != BODY_FILE)
		t_body_del(t, at, id, size);
	totals->messages--;
}
