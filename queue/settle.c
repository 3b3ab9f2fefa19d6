/*
 * settle.c - see settle.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/ascii.h"
#include "mail/date.h"
#include "mail/msgid.h"
#include "queue/bodyfile.h"
#include "queue/digest.h"
#include "queue/flow.h"
#include "queue/history.h"
#include "queue/notice.h"
#include "queue/refill.h"
#include "queue/results.h"
#include "queue/retry.h"
#include "queue/settings.h"
#include "queue/settle.h"

struct settle {
	struct change change; /* the first member */
	struct job *job;      /* NULL once committed */
	uint64_t now;
	uint64_t was_due;
	bool ended;      /* nobody waits any more */
	bool noticed;    /* a delay notice goes with it */
	bool left;       /* the message left the queue */
	uint64_t digest; /* when its failures are told, if not at once */
	uint64_t id;
	bool in_file;
};

static bool
nobody_to_tell(const struct letter *l)
{
	return l->sender[0] == '\0';
}

static void
fail(const struct letter *l, struct rcpt *r)
{
	bool told = !nobody_to_tell(l) && rcpt_wants(r, NOTIFY_FAILURE);

	r->state = told ? RCPT_BOUNCED : RCPT_DROPPED;
	r->event = told ? EVENT_BOUNCED : EVENT_DROPPED;
}

/*
 * Must the sender be told that a server took the message?  When it asked for
 * that and the server will not do it (RFC 3461 5.2.2), when it follows the
 * message hop by hop, or when the server knows nothing of its deadline (RFC
 * 2852 4).
 */
static bool
relay_is_news(const struct letter *l, const struct rcpt *r)
{
	if (nobody_to_tell(l) || r->notify == NOTIFY_NEVER)
		return false;
	return ((r->relayed & RELAYED_NO_DSN) &&
		   rcpt_wants(r, NOTIFY_SUCCESS)) ||
	    (l->flags & TX_BY_TRACE) ||
	    ((l->flags & TX_BY_NOTIFY) && (r->relayed & RELAYED_NO_DELIVERBY));
}

/* What an admin removed meanwhile has ended already, but for those who got
 * it all the same. */
static void
judge(struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		r->event = EVENT_NONE;
		if (r->state != RCPT_WAITING || r->verdict == NO_VERDICT)
			continue;
		if (r->verdict != V_TEMP)
			results_add(j->letter->account, r->verdict == V_OK,
			    r->verdict == V_PERM);
		if (r->verdict == V_OK) {
			r->state = RCPT_DELIVERED;
			r->event = EVENT_DELIVERED;
			r->tell = relay_is_news(j->letter, r);
		} else if (j->removed) {
			r->event = EVENT_NONE;
		} else if (r->verdict == V_PERM) {
			fail(j->letter, r);
		} else {
			r->event =
			    r->uncertain ? EVENT_UNCERTAIN : EVENT_DEFERRED;
		}
		r->verdict = NO_VERDICT;
		r->uncertain = false;
	}
}

static void
fail_all_waiting(struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING)
			fail(j->letter, &j->rcpts[i]);
}

/* The sender's deadline has passed, and the mail is to come back. */
static bool
too_late(const struct letter *l, int64_t now)
{
	return (l->flags & TX_BY_RETURN) && now >= (int64_t)l->options.by;
}

/* What all who wait have heard last, or "". */
static void
last_words(const struct job *j, char *out, size_t size)
{
	struct answer_row a;
	int of = -1;

	out[0] = '\0';
	for (unsigned i = 0; i < j->nrcpts; i++) {
		if (j->rcpts[i].state != RCPT_WAITING)
			continue;
		if (of != -1 && of != j->rcpts[i].answer)
			return;
		of = j->rcpts[i].answer;
	}
	if (of != -1 && job_answer(j, (uint8_t)of, &a))
		snprintf(out, size, "; the last attempt: %.300s", a.text);
}

/* RFC 2852 4. */
static void
fail_too_late(struct job *j, int64_t now)
{
	struct answer_row a = { .status = "5.4.7", .when = (uint64_t)now };
	char last[400];
	uint8_t answer;

	last_words(j, last, sizeof(last));
	snprintf(a.text, sizeof(a.text),
	    "the time that its sender gave for the delivery is over "
	    "(DELIVERBY)%s",
	    last);
	answer = job_add_answer(j, &a);
	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		if (r->state != RCPT_WAITING)
			continue;
		r->answer = answer;
		fail(j->letter, r);
	}
}

static bool
any_event(const struct job *j, enum event_kind e)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event == e)
			return true;
	return false;
}

static bool
any_final(const struct job *j)
{
	return any_event(j, EVENT_DELIVERED) || any_event(j, EVENT_BOUNCED) ||
	    any_event(j, EVENT_DROPPED);
}

static bool
any_to_tell(const struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event == EVENT_DELIVERED && j->rcpts[i].tell)
			return true;
	return false;
}

/* From when on a delay is worth telling (RFC 2852 4: the deadline, if the
 * sender gave one for that). */
static int64_t
delay_time(const struct letter *l)
{
	if (l->flags & TX_BY_NOTIFY)
		return (int64_t)l->options.by;
	return (int64_t)l->begun + settings->delay_notice_s * 1000;
}

static bool
delay_is_news(const struct job *j, int64_t now)
{
	if (j->noticed || nobody_to_tell(j->letter) ||
	    now < delay_time(j->letter))
		return false;
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING &&
		    rcpt_wants(&j->rcpts[i], NOTIFY_DELAY))
			return true;
	return false;
}

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
write_event(struct txn *t, struct settle *s, struct totals *totals,
    const struct rcpt *r, bool final)
{
	struct journal_row e = {
		.id = s->job->key.id, .event = r->event, .final = final
	};
	struct answer_row a;
	const char *route;
	struct secured how;
	int n = 0;

	snprintf(e.rcpt, sizeof(e.rcpt), "%s", r->address);
	if (job_answer(s->job, r->answer, &a)) {
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
		route = a.mx[0] != '\0' ? route_of(s->job) : "";
		if (*route != '\0')
			n +=
			    snprintf(e.detail + n, sizeof(e.detail) - (size_t)n,
				"route=%.80s ", route);
		snprintf(e.detail + n, sizeof(e.detail) - (size_t)n, "%.190s",
		    a.text);
	}
	snprintf(e.account, sizeof(e.account), "%s", s->job->letter->account);
	history_add(t, totals, s->now, &e);
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
write_events(struct txn *t, struct settle *s, struct totals *totals)
{
	struct job *j = s->job;
	int last = -1;

	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event != EVENT_NONE)
			last = (int)i;
	for (int i = 0; i <= last; i++) {
		if (j->rcpts[i].event == EVENT_NONE)
			continue;
		count(j->letter, totals, &j->rcpts[i], j->removed);
		write_event(t, s, totals, &j->rcpts[i], s->left && i == last);
		if (s->digest != 0 && j->rcpts[i].event == EVENT_BOUNCED)
			digest_add(t, totals, j, &j->rcpts[i], s->digest);
	}
}

static void
write_delay(struct txn *t, struct settle *s, struct totals *totals)
{
	struct journal_row e = { .id = s->job->key.id, .event = EVENT_DELAYED };

	snprintf(e.rcpt, sizeof(e.rcpt), "%s", s->job->letter->sender);
	snprintf(e.account, sizeof(e.account), "%s", s->job->letter->account);
	history_add(t, totals, s->now, &e);
}

static void
write_gathered(struct txn *t, struct settle *s, struct totals *totals)
{
	struct journal_row e = { .id = s->job->key.id,
		.event = EVENT_GATHERED };
	char when[DATE_MAX];

	date_rfc3339((time_t)(s->digest / 1000), when);
	snprintf(e.rcpt, sizeof(e.rcpt), "%s", s->job->letter->sender);
	snprintf(e.account, sizeof(e.account), "%s", s->job->letter->account);
	snprintf(e.detail, sizeof(e.detail),
	    "its failure waits for the digest at %s", when);
	history_add(t, totals, s->now, &e);
}

/* Not all is done yet: the message's row counts what is. */
static void
write_progress(struct txn *t, const struct letter *l)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct message_row m;

	if (!t_message_get(t, l->id, &m, buf))
		return;
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

static void
write_outcome(struct txn *t, struct totals *totals, struct settle *s)
{
	struct job *j = s->job;
	struct letter *l = j->letter;
	struct due_key was = { s->was_due, j->key.id, (uint32_t)j->key.n };

	if (j->removed) {
		write_events(t, s, totals);
		return;
	}
	if (s->was_due != 0)
		t_due_del(t, &was);
	if (s->ended) {
		l->left--;
		s->left = l->left == 0;
	}
	if (s->digest != 0)
		write_gathered(t, s, totals);
	write_events(t, s, totals);
	if (s->noticed)
		write_delay(t, s, totals);
	if (!s->ended) {
		write_job(t, j);
		l->ahead |= any_final(j);
		return;
	}
	t_job_del(t, j->key.id, (uint32_t)j->key.n);
	if (s->left)
		spool_forget(t, totals, l->id, l->at, l->size);
	l->ahead = !s->left;
}

/* The last of those gathered for a message writes its row. */
static void
write_rows(struct txn *t, struct totals *totals, struct change *c)
{
	struct settle *s = (struct settle *)c;
	struct letter *l = s->job->letter;

	write_outcome(t, totals, s);
	if (--l->gathered > 0 || !l->ahead)
		return;
	write_progress(t, l);
	l->ahead = false;
}

static const char *
seconds(uint64_t since, uint64_t now, char *out, size_t size)
{
	uint64_t ms = now > since ? now - since : 0;

	snprintf(out, size, "%llu.%02u", (unsigned long long)(ms / 1000),
	    (unsigned)(ms % 1000 / 10));
	return out;
}

/* A server's name out of the DNS, fit to stand between spaces. */
static const char *
word(const char *s, char *out, size_t size)
{
	size_t n = 0;

	for (; s[n] != '\0' && n + 1 < size; n++)
		out[n] = (char)(ascii_print(s[n]) && s[n] != ' ' &&
			    s[n] != '"' && s[n] != '='
			? s[n]
			: '?');
	out[n] = '\0';
	return n > 0 ? out : "-";
}

static void
log_rcpt(const struct settle *s, const struct rcpt *r, const char *id)
{
	const struct job *j = s->job;
	char next[DATE_MAX] = "", delay[32], mx[300];
	struct answer_row a = { .status = "4.4.7" };
	struct secured how;

	job_answer(j, r->answer, &a);
	seconds(j->letter->accepted, s->now, delay, sizeof(delay));
	if (r->event == EVENT_DEFERRED || r->event == EVENT_UNCERTAIN) {
		date_rfc3339((time_t)(j->due / 1000), next);
		log_event(r->event == EVENT_DEFERRED ? "msg.deferred"
						     : "msg.uncertain",
		    "id=%s mx=%s code=%u dsn=%s delay=%s attempt=%u next=%s "
		    "to=%s reply=%s",
		    id, word(a.mx, mx, sizeof(mx)), a.code, a.status, delay,
		    j->attempts, j->due != 0 ? next : "held",
		    log_quote(r->address), log_quote(a.text));
		return;
	}
	how = answer_how(&a);
	log_event(r->event == EVENT_DELIVERED ? "msg.delivered"
		: r->event == EVENT_BOUNCED   ? "msg.bounced"
					      : "msg.dropped",
	    "id=%s mx=%s tls=%s cipher=%s policy=%s code=%u dsn=%s delay=%s "
	    "attempt=%u to=%s reply=%s",
	    id, word(a.mx, mx, sizeof(mx)), how.tls[0] ? how.tls : "-",
	    how.cipher[0] ? how.cipher : "-", how.policy[0] ? how.policy : "-",
	    a.code, a.status, delay, j->attempts, log_quote(r->address),
	    log_quote(a.text));
}

static void
log_done(const struct settle *s, const char *id)
{
	const struct letter *l = s->job->letter;
	char lifetime[32];

	seconds(l->accepted, s->now, lifetime, sizeof(lifetime));
	log_event("msg.done",
	    "id=%s outcome=delivered:%u,bounced:%u,dropped:%u lifetime=%s", id,
	    l->delivered, l->bounced, l->dropped, lifetime);
}

static void
tell(struct change *c)
{
	struct settle *s = (struct settle *)c;
	struct job *j = s->job;
	struct due_key key;
	char id[MSGID_SIZE];

	msgid_format(j->key.id, id);
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event != EVENT_NONE)
			log_rcpt(s, &j->rcpts[i], id);
	if (s->noticed)
		log_event("msg.delayed", "id=%s to=%s", id,
		    log_quote(j->letter->sender));
	if (s->left)
		log_done(s, id);
	if (!s->ended && !j->removed && j->due != 0) {
		key = job_due_key(j);
		refill_expect(&key);
	}
	s->job = NULL;
	flow_leave(j);
	job_free(j);
}

static void
clean_up(struct change *c)
{
	struct settle *s = (struct settle *)c;

	CRASH_POINT("settle-durable");
	if (s->left && s->in_file)
		bodyfile_remove(s->id);
	free(s);
}

static void
put_off(struct job *j, int64_t next)
{
	j->due = j->letter->held ? 0 : (uint64_t)next;
}

static void
settle(struct job *j, uint64_t was_due, bool noticed)
{
	struct settle *s = calloc(1, sizeof(*s));
	struct accept *notices[DSN_KINDS] = { NULL };

	if (s == NULL)
		abort();
	s->change.apply = write_rows;
	s->change.committed = tell;
	s->change.durable = clean_up;
	s->job = j;
	s->now = (uint64_t)loop_wall_ms();
	s->was_due = was_due;
	s->ended = job_waiting(j) == 0;
	s->noticed = noticed;
	s->id = j->key.id;
	s->in_file = j->letter->at.kind == BODY_FILE;
	if (any_event(j, EVENT_BOUNCED) && !j->removed &&
	    (s->digest = digest_due(j->letter)) == 0)
		notices[DSN_FAILED] = notice_new(j, DSN_FAILED);
	if (any_to_tell(j))
		notices[DSN_RELAYED] = notice_new(j, DSN_RELAYED);
	if (noticed)
		notices[DSN_DELAYED] = notice_new(j, DSN_DELAYED);
	j->letter->gathered++;
	group_add(&s->change, HURRY_NOT);
	for (int kind = 0; kind < DSN_KINDS; kind++)
		if (notices[kind] != NULL)
			spool_accept(notices[kind]);
}

/* Is somebody put off because his server does not know us yet? */
static bool
is_grey(const struct job *j)
{
	for (unsigned i = 0; j->attempts <= RETRY_GREY && i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING && j->rcpts[i].grey)
			return true;
	return false;
}

/* When to try again; 0: not any more.  An attempt falls on the sender's
 * deadline, too. */
static int64_t
next_attempt(const struct job *j, bool counted, int64_t now)
{
	const struct letter *l = j->letter;
	int64_t by = (int64_t)l->options.by, next, grey;

	if (!counted)
		return now;
	next = retry_next_ms(
	    settings, (int64_t)l->begun, now, j->attempts, retry_chance());
	if (next != 0 && is_grey(j)) {
		grey = retry_grey_ms(now, retry_chance());
		next = grey < next ? grey : next;
	}
	return by > now && by < next ? by : next;
}

void
settle_job(struct job *j, bool counted)
{
	int64_t now = loop_wall_ms(), next;
	uint64_t was_due = j->due;
	bool news = false;

	assert(j->state == JOB_SETTLING);
	judge(j);
	if (counted)
		j->attempts++;
	if (job_waiting(j) > 0 && !j->removed) {
		next = next_attempt(j, counted, now);
		if (settings->hold_uncertain && any_event(j, EVENT_UNCERTAIN)) {
			j->due = 0; /* until an operator lets it go */
		} else if (too_late(j->letter, now)) {
			fail_too_late(j, now);
		} else if (next == 0) {
			fail_all_waiting(j);
		} else {
			put_off(j, next);
			news = counted && delay_is_news(j, now);
			j->noticed |= news;
		}
	}
	settle(j, was_due, news);
}

bool
settle_is_due(const struct job *j)
{
	int64_t now = loop_wall_ms();

	return now - (int64_t)j->letter->begun >= settings->give_up_s * 1000 ||
	    too_late(j->letter, now) || delay_is_news(j, now);
}

void
settle_unattempted(struct job *j)
{
	int64_t now = loop_wall_ms();
	uint64_t was_due = j->due;
	bool news = false;

	j->state = JOB_SETTLING;
	for (unsigned i = 0; i < j->nrcpts; i++)
		j->rcpts[i].event = EVENT_NONE;
	if (too_late(j->letter, now))
		fail_too_late(j, now);
	else if (now - (int64_t)j->letter->begun >= settings->give_up_s * 1000)
		fail_all_waiting(j);
	else
		news = delay_is_news(j, now);
	j->noticed = true;
	settle(j, was_due, news);
}
