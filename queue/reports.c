/*
 * reports.c - see reports.h.
 *
 * After a day, and a while that differs from server to server so that not all
 * report at midnight (RFC 8460 4.1), a sweep goes through the reports of days
 * that are over.  Each place (mailto: or https:) of a report is served once:
 * a mail is accepted in the transaction that notes it, a post is noted when
 * the web server has taken it.  With all places served the rows go.  What is
 * left is tried again an hour later, and given up after a day (5.4).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/domain.h"
#include "queue/clock.h"
#include "queue/group.h"
#include "queue/report.h"
#include "queue/reports.h"
#include "queue/retry.h"
#include "queue/settings.h"

#define DAY_S        86400
#define SPREAD_S     3600
#define AGAIN_S      3600
#define AT_ONCE      10 /* reports in a tick */
#define POSTS        8  /* at a time */
#define POST_LATE_MS 300000

/* A report on its way to a web server. */
struct post {
	uint64_t tag;    /* 0: free */
	int64_t sent_ms; /* loop_now_ms() */
	uint32_t day;
	char domain[256];
	unsigned place, places;
};

static struct post posts[POSTS];
static uint64_t tags;
static struct channel *deliver;
static uint32_t day_s = DAY_S; /* a test may have shorter days */
static int64_t spread_s, due_s;
static bool sweeping;
static uint32_t at_day; /* where the sweep is */
static char at_domain[256];

/* A row of the store to be changed. */
struct learnt {
	struct change change; /* the first member */
	uint32_t day;
	struct msg_tls_sessions sessions;
};

struct served {
	struct change change; /* the first member */
	uint32_t day, bits;
	char domain[256];
	bool all;
};

static int64_t
now_s(void)
{
	return loop_wall_ms() / 1000;
}

static uint32_t
today(void)
{
	return (uint32_t)(now_s() / day_s);
}

static void
forget(struct change *c)
{
	free(c);
}

static void
write_sessions(struct txn *t, struct totals *totals, struct change *c)
{
	const struct learnt *l = (struct learnt *)c;

	(void)totals;
	t_tlsrpt_add(t, l->day, &l->sessions);
}

static void
learn(const struct msg_tls_sessions *s)
{
	struct learnt *l;

	if (s->policy >= TLSRPT_POLICIES || s->result >= TLSRPT_RESULTS ||
	    !settings->tls_reports ||
	    !domain_valid(s->domain, strlen(s->domain), DOMAIN_UNDERSCORE))
		return; /* the name becomes part of a header */
	if ((l = calloc(1, sizeof(*l))) == NULL)
		abort();
	l->change.apply = write_sessions;
	l->change.durable = forget;
	l->day = today();
	l->sessions = *s;
	group_add(&l->change, HURRY_NOT);
}

static void
write_served(struct txn *t, struct totals *totals, struct change *c)
{
	const struct served *s = (struct served *)c;
	struct tlsrpt_row row;

	(void)totals;
	t_tlsrpt_done(t, s->day, s->domain, s->bits);
	if (s->all)
		t_tlsrpt_forget(t, s->day, s->domain);
	else if (t_tlsrpt_get(t, s->day, s->domain, 0, &row)) {
		char uri[TLSRPT_URI_SIZE];
		unsigned n = 0;

		while (tlsrpt_place(row.rua, n, uri) && (row.done & 1u << n))
			n++;
		if (!tlsrpt_place(row.rua, n, uri))
			t_tlsrpt_forget(t, s->day, s->domain);
	}
}

/* These places are served; all: there is nothing more to be done. */
static void
serve(uint32_t day, const char *domain, uint32_t bits, bool all)
{
	struct served *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->change.apply = write_served;
	s->change.durable = forget;
	s->day = day;
	s->bits = bits;
	s->all = all;
	snprintf(s->domain, sizeof(s->domain), "%s", domain);
	group_add(&s->change, HURRY_NOT);
}

static bool
is_posting(uint32_t day, const char *domain, unsigned place)
{
	for (int i = 0; i < POSTS; i++)
		if (posts[i].tag != 0 && posts[i].day == day &&
		    posts[i].place == place &&
		    strcmp(posts[i].domain, domain) == 0)
			return true;
	return false;
}

/* False when it must be tried again. */
static bool
post(const struct buf *json, const char *uri, uint32_t day, const char *domain,
    unsigned place)
{
	struct msg m = { .type = MSG_TLS_POST };
	struct post *p = posts;

	if (is_posting(day, domain, place))
		return true;
	while (p < posts + POSTS && p->tag != 0)
		p++;
	if (p == posts + POSTS)
		return false;
	m.tag = ++tags;
	snprintf(m.u.tls_post.url, sizeof(m.u.tls_post.url), "%s", uri);
	m.u.tls_post.body =
	    (struct bytes){ (const uint8_t *)buf_data(json), json->len };
	if (!channel_send(deliver, &m, -1))
		return false;
	*p = (struct post){ .tag = m.tag,
		.sent_ms = loop_now_ms(),
		.day = day,
		.place = place };
	snprintf(p->domain, sizeof(p->domain), "%s", domain);
	return true;
}

static void
tell(const char *event, uint32_t day, const char *domain, const char *to,
    const char *text)
{
	log_event(event, "day=%u to=%s domain=%s text=%s", day, log_quote(to),
	    log_quote(domain), log_quote(text));
}

static void
on_posted(const struct msg *m)
{
	const struct msg_tls_posted *answer = &m->u.tls_posted;

	for (struct post *p = posts; p < posts + POSTS; p++) {
		if (p->tag == 0 || p->tag != m->tag)
			continue;
		if (answer->verdict == V_OK) {
			tell("tlsrpt.posted", p->day, p->domain, "https", "");
			serve(p->day, p->domain, 1u << p->place, false);
		} else {
			tell("tlsrpt.failed", p->day, p->domain, "https",
			    answer->text);
		}
		p->tag = 0;
		return;
	}
}

/* How long after midnight; another time of day on each server. */
static void
set_up(void)
{
	const char *test = getenv("POSTERN_TLSRPT_DAY");

	spread_s = 60 + retry_chance() % (SPREAD_S - 60);
	if (test != NULL && atoi(test) > 0) {
		day_s = (uint32_t)atoi(test);
		spread_s = 1;
		log_event("warning", "text=%s day_s=%u",
		    log_quote("a day is short, as a test asked"), day_s);
	}
	due_s = (int64_t)today() * day_s + spread_s;
}

void
reports_start(struct channel *c)
{
	deliver = c;
	set_up();
}

bool
reports_message(const struct msg *m)
{
	switch (m->type) {
	case MSG_TLS_SESSIONS:
		learn(&m->u.tls_sessions);
		return true;
	case MSG_TLS_POSTED:
		on_posted(m);
		return true;
	default:
		return false;
	}
}

/* One place of a report; true when nothing is left to be done for it. */
static bool
send_to(const struct report *r, const struct buf *json, const char *uri,
    uint32_t day, unsigned place)
{
	const char *domain = r->tlsrpt.domain;

	if (strncasecmp(uri, "https:", 6) == 0) {
		post(json, uri, day, domain, place);
		return false;
	}
	if (!report_mail(r, json, uri))
		tell("tlsrpt.failed", day, domain, uri, "not an address");
	return true;
}

static void
report(uint32_t day, const char *domain)
{
	static struct report r;
	struct buf json = { 0 };
	char uri[TLSRPT_URI_SIZE];
	uint32_t bits = 0;
	bool all = true;

	if (!report_read(&r, day, day_s, domain))
		return;
	if (now_s() >= ((int64_t)day + 2) * day_s + 2 * AGAIN_S &&
	    clock_may_forget((int64_t)day_s * 1000)) {
		tell("tlsrpt.failed", day, domain, r.rows[0].rua, "given up");
		serve(day, domain, 0, true);
		return;
	}
	report_write(&r, &json);
	for (unsigned n = 0; tlsrpt_place(r.rows[0].rua, n, uri); n++) {
		if (r.rows[0].done & 1u << n)
			continue;
		if (send_to(&r, &json, uri, day, n))
			bits |= 1u << n;
		else
			all = false;
	}
	buf_release(&json);
	if (bits != 0 || all)
		serve(day, domain, bits, all);
}

/* deliver does not answer any more: the place is tried again. */
static void
drop_late_posts(void)
{
	for (int i = 0; i < POSTS; i++)
		if (posts[i].tag != 0 &&
		    loop_now_ms() - posts[i].sent_ms > POST_LATE_MS)
			posts[i].tag = 0;
}

/* The next day's reports. */
static int64_t
next_s(void)
{
	return ((int64_t)today() + 1) * day_s + spread_s;
}

static void
end_sweep(bool left)
{
	int64_t next = next_s();

	sweeping = false;
	due_s = next;
	if (left && now_s() + AGAIN_S < next)
		due_s = now_s() + AGAIN_S;
}

void
reports_tick(void)
{
	static bool any;

	if (!settings->tls_reports || deliver == NULL)
		return;
	/* A clock that was set back must not keep them waiting. */
	if (due_s > next_s())
		due_s = next_s();
	if (!sweeping && now_s() < due_s)
		return;
	if (!sweeping) {
		sweeping = true;
		any = false;
		at_day = 0;
		at_domain[0] = '\0';
		drop_late_posts();
	}
	for (int i = 0; i < AT_ONCE; i++) {
		if (!t_tlsrpt_next(&at_day, at_domain) || at_day >= today()) {
			end_sweep(any);
			return;
		}
		any = true;
		report(at_day, at_domain);
	}
}
