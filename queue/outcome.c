/*
 * outcome.c - see outcome.h.
 */
#include <stdio.h>
#include <string.h>

#include "mail/date.h"
#include "queue/digest.h"
#include "queue/fate.h"
#include "queue/history.h"
#include "queue/outcome.h"
#include "queue/settings.h"
#include "queue/spool.h"

/* By which route it went, where that is not the one for all. */
static const char *
route_of(const struct job *j)
{
	const struct conf_route *r = conf_route(settings,
	    &(struct conf_mail){
		j->domain, j->letter->account, j->letter->sender });

	return strcmp(r->name, "*") == 0 ? "" : r->name;
}

static void
write_event(struct txn *t, struct outcome *o, struct totals *totals,
    const struct rcpt *r, bool final)
{
	struct journal_row e = {
		.id = o->job->key.id, .event = r->event, .final = final
	};
	struct answer_row a;
	const char *route;
	struct secured how;
	int n = 0;

	snprintf(e.rcpt, sizeof(e.rcpt), "%s", r->address);
	if (job_answer(o->job, r->answer, &a)) {
		if (a.mx[0] != '\0')
			n = snprintf(
			    e.detail, sizeof(e.detail), "%.299s ", a.mx);
		if (a.code != 0)
			n += snprintf(e.detail + n,
			    sizeof(e.detail) - (size_t)n, "%u ", a.code);
		how = answer_how(&a);
		if (how.policy[0] != '\0')
			n +=
			    snprintf(e.detail + n, sizeof(e.detail) - (size_t)n,
				"tls=%s cipher=%s policy=%s ", how.tls,
				how.cipher, how.policy);
		route = a.mx[0] != '\0' ? route_of(o->job) : "";
		if (*route != '\0')
			n +=
			    snprintf(e.detail + n, sizeof(e.detail) - (size_t)n,
				"route=%.80s ", route);
		snprintf(e.detail + n, sizeof(e.detail) - (size_t)n, "%.190s",
		    a.text);
	}
	snprintf(e.account, sizeof(e.account), "%s", o->job->letter->account);
	history_add(t, totals, o->now, &e);
}

static void
count(
    struct letter *l, struct totals *totals, const struct rcpt *r, bool removed)
{
	if (r->event == EVENT_DELIVERED) {
		totals->delivered++;
		l->delivered++;
	} else if (r->event == EVENT_BOUNCED) {
		totals->bounced++;
		l->bounced++;
	} else if (r->event == EVENT_DROPPED) {
		l->dropped++;
	} else {
		return;
	}
	if (!removed)
		totals->waiting--;
}

static void
write_events(struct txn *t, struct outcome *o, struct totals *totals)
{
	struct job *j = o->job;
	int last = -1;

	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event != EVENT_NONE)
			last = (int)i;
	for (int i = 0; i <= last; i++) {
		if (j->rcpts[i].event == EVENT_NONE)
			continue;
		count(j->letter, totals, &j->rcpts[i], j->removed);
		write_event(t, o, totals, &j->rcpts[i], o->left && i == last);
		if (o->digest != 0 && j->rcpts[i].event == EVENT_BOUNCED)
			digest_add(t, totals, j, &j->rcpts[i], o->digest);
	}
}

static void
write_delay(struct txn *t, struct outcome *o, struct totals *totals)
{
	struct journal_row e = { .id = o->job->key.id, .event = EVENT_DELAYED };

	snprintf(e.rcpt, sizeof(e.rcpt), "%s", o->job->letter->sender);
	snprintf(e.account, sizeof(e.account), "%s", o->job->letter->account);
	history_add(t, totals, o->now, &e);
}

static void
write_gathered(struct txn *t, struct outcome *o, struct totals *totals)
{
	struct journal_row e = { .id = o->job->key.id,
		.event = EVENT_GATHERED };
	char when[DATE_MAX];

	date_rfc3339((time_t)(o->digest / 1000), when);
	snprintf(e.rcpt, sizeof(e.rcpt), "%s", o->job->letter->sender);
	snprintf(e.account, sizeof(e.account), "%s", o->job->letter->account);
	snprintf(e.detail, sizeof(e.detail),
	    "its failure waits for the digest at %s", when);
	history_add(t, totals, o->now, &e);
}

/* Not all is done yet: the message's row counts what is. */
static void
write_progress(struct txn *t, const struct letter *l)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct message_row m;

	if (!t_message_get(t, l->id, &m, buf))
		return;
	m.accepted = l->accepted;
	m.options = l->options;
	m.jobs = l->left;
	m.delivered = l->delivered;
	m.bounced = l->bounced;
	m.dropped = l->dropped;
	t_message_put(t, l->id, &m);
}

static void
write_job(struct txn *t, const struct job *j)
{
	struct due_key key = job_due_key(j);
	struct due_row due = job_due_row(j);
	struct job_row row;

	job_row(j, &row);
	t_job_put(t, j->key.id, (uint32_t)j->key.n, &row);
	if (j->due != 0)
		t_due_put(t, &key, &due);
}

static bool
any_final(const struct job *j)
{
	return fate_any(j, EVENT_DELIVERED) || fate_any(j, EVENT_BOUNCED) ||
	    fate_any(j, EVENT_DROPPED);
}

static void
write_job_outcome(struct txn *t, struct totals *totals, struct outcome *o)
{
	struct job *j = o->job;
	struct letter *l = j->letter;
	struct due_key was = { o->was_due, j->key.id, (uint32_t)j->key.n };

	if (j->removed) {
		write_events(t, o, totals);
		return;
	}
	if (o->was_due != 0)
		t_due_del(t, &was);
	if (o->ended) {
		l->left--;
		o->left = l->left == 0;
	}
	if (o->digest != 0)
		write_gathered(t, o, totals);
	write_events(t, o, totals);
	if (o->noticed)
		write_delay(t, o, totals);
	if (!o->ended) {
		write_job(t, j);
		l->ahead |= any_final(j);
		return;
	}
	t_job_del(t, j->key.id, (uint32_t)j->key.n);
	if (o->left)
		spool_forget(t, totals, l->id, l->at, l->size);
	l->ahead = !o->left;
}

/* The last of those gathered for a message writes its row. */
void
outcome_write(struct txn *t, struct totals *totals, struct outcome *o)
{
	struct letter *l = o->job->letter;

	write_job_outcome(t, totals, o);
	if (--l->gathered > 0 || !l->ahead)
		return;
	write_progress(t, l);
	l->ahead = false;
}
