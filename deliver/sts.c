/*
 * sts.c - see sts.h.
 *
 * One entry for each domain in use, however many ask:
 *
 *   what the queue knows ── TXT record ── (another id: fetch) ── answer
 *
 * An answer holds for CHECK_MS.  A policy that is in force and past half of
 * its life, or a day old, is fetched again beside that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <uthash.h>

#include "deliver/dns.h"
#include "deliver/fetch.h"
#include "deliver/known.h"
#include "deliver/results.h"
#include "deliver/sts.h"
#include "lib/log.h"
#include "lib/loop.h"

#define CHECK_MS  60000
#define DNS_MS    20000
#define AGAIN_MS  (5 * 60 * 1000) /* RFC 8461 5.1: after a failed fetch */
#define DAY_S     86400
#define ENTRY_MAX 4096
#define LOOKS     8

struct waiter {
	uint64_t ticket;
	sts_fn *fn;
	void *arg;
	TAILQ_ENTRY(waiter) link;
};

struct entry {
	char domain[256];
	char id[STS_ID_MAX + 1]; /* that DNS shows, "" none */
	bool busy;               /* on the way to an answer */
	bool asking;             /* the resolver has not answered */
	bool late;               /* and is not waited for */
	bool fetching;
	int64_t checked_ms, failed_ms; /* 0 never */
	char problem[200];
	struct timer timer;
	TAILQ_HEAD(, waiter) waiters;
	UT_hash_handle hh;
};

static struct entry *entries;
static uint64_t tickets;

void
sts_peer(int fd)
{
	fetch_peer(fd);
}

static bool
in_force(const struct msg_domain *d)
{
	return d->sts_mode <= STS_ENFORCE &&
	    d->sts_expires > (uint64_t)loop_wall_ms() / 1000;
}

static void
tell(sts_fn *fn, void *arg, const struct msg_domain *d, const char *problem)
{
	fn(arg, in_force(d) ? (enum sts_mode)d->sts_mode : STS_NONE, d,
	    *problem ? problem : NULL);
}

static void
on_final(void *arg, struct msg_domain *d)
{
	struct entry *e = arg;
	struct waiter *w;

	e->busy = false;
	e->checked_ms = loop_now_ms();
	while ((w = TAILQ_FIRST(&e->waiters)) != NULL) {
		TAILQ_REMOVE(&e->waiters, w, link);
		tell(w->fn, w->arg, d, e->problem);
		free(w);
	}
}

/* Mostly at once; the row may have made room for others meanwhile. */
static void
answer(struct entry *e)
{
	timer_clear(&e->timer);
	if (e->busy)
		known_ask(e->domain, on_final, e);
}

static bool
is_text(const char *type)
{
	size_t n = strlen("text/plain");

	return strncasecmp(type, "text/plain", n) == 0 &&
	    (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static const char *
read_page(const struct msg_fetched *f, struct sts_policy *p)
{
	if (f->verdict != V_OK)
		return f->text;
	if (f->code != 200)
		return "HTTP status is not 200";
	if (!is_text(f->type))
		return "not text/plain";
	return sts_read_policy(p, (const char *)f->body.data, f->body.len);
}

static void
store_policy(struct entry *e, struct msg_domain *d, const struct sts_policy *p)
{
	uint64_t now = (uint64_t)loop_wall_ms() / 1000;

	memcpy(d->sts_id, e->id, sizeof(d->sts_id));
	d->sts_mode = p->mode;
	memcpy(d->sts_mx, p->mx, strlen(p->mx) + 1);
	d->sts_fetched = now;
	d->sts_expires = now + p->max_age_s;
	known_keep(d);
	log_event("sts.policy", "mode=%s max_age=%u id=%s domain=%s",
	    sts_mode_name(p->mode), p->max_age_s, e->id, log_quote(e->domain));
}

static enum tlsrpt_result
result_of(const struct msg_fetched *f)
{
	if (f->certificate)
		return TLSRPT_STS_WEBPKI;
	return f->verdict == V_OK && f->code == 200 ? TLSRPT_STS_INVALID
						    : TLSRPT_STS_FETCH;
}

static void
on_page(void *arg, const struct msg_fetched *f)
{
	struct entry *e = arg;
	struct msg_domain *d = known_look(e->domain);
	struct sts_policy p;
	const char *problem = read_page(f, &p);

	e->fetching = false;
	e->problem[0] = '\0';
	if (problem != NULL) {
		e->failed_ms = loop_now_ms();
		snprintf(e->problem, sizeof(e->problem), "%s", problem);
		log_event("sts.failed", "domain=%s error=%s",
		    log_quote(e->domain), log_quote(problem));
		results_sts(e->domain, result_of(f), problem);
	} else if (d != NULL) {
		e->failed_ms = 0;
		store_policy(e, d, &p);
	}
	answer(e);
}

static void
fetch(struct entry *e)
{
	char url[400];

	if (e->fetching)
		return;
	e->fetching = true;
	snprintf(url, sizeof(url), "https://mta-sts.%s/.well-known/mta-sts.txt",
	    e->domain);
	fetch_url(url, "", (struct bytes){ NULL, 0 }, on_page, e);
}

static bool
failed_lately(const struct entry *e)
{
	return e->failed_ms != 0 && loop_now_ms() - e->failed_ms < AGAIN_MS;
}

static bool
grows_old(const struct msg_domain *d)
{
	uint64_t age = (uint64_t)loop_wall_ms() / 1000 - d->sts_fetched;

	return age > DAY_S || age > (d->sts_expires - d->sts_fetched) / 2;
}

/* What DNS shows is in e->id. */
static void
compare(void *arg, struct msg_domain *d)
{
	struct entry *e = arg;

	if (e->id[0] == '\0') {
		/* Absence proves nothing while a policy holds (RFC 8461 3.1). */
		e->problem[0] = '\0';
		answer(e);
	} else if (strcmp(e->id, d->sts_id) != 0 || !in_force(d)) {
		if (failed_lately(e) && !e->fetching)
			answer(e);
		else
			fetch(e);
	} else {
		if (grows_old(d) && !failed_lately(e))
			fetch(e);
		answer(e);
	}
}

/* RFC 8461 3.1: exactly one record that is one. */
static void
read_records(struct entry *e, const struct answer *a)
{
	char text[512], id[STS_ID_MAX + 1];
	unsigned found = 0;

	for (unsigned i = 0; i < a->n; i++)
		if (answer_text(&a->records[i], text, sizeof(text)) &&
		    strncmp(text, "v=STSv1", 7) == 0) {
			found++;
			if (sts_read_record(text, id))
				memcpy(e->id, id, sizeof(id));
		}
	if (found > 1)
		e->id[0] = '\0';
}

static void
on_txt(void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct entry *e = arg;

	(void)secure;
	e->asking = false;
	if (e->late)
		return;
	timer_clear(&e->timer);
	if (result == DNS_FOUND)
		read_records(e, a);
	known_ask(e->domain, compare, e);
}

static void
on_time(void *arg)
{
	struct entry *e = arg;

	e->late = true;
	known_ask(e->domain, compare, e);
}

static void
on_known(void *arg, struct msg_domain *d)
{
	struct entry *e = arg;
	char name[300];

	(void)d;
	e->id[0] = '\0';
	if (e->asking) {
		/* Of the last round still; what is known must do. */
		known_ask(e->domain, compare, e);
		return;
	}
	e->late = false;
	e->asking = true;
	snprintf(name, sizeof(name), "_mta-sts.%s", e->domain);
	timer_set(&e->timer, DNS_MS);
	dns_ask(name, RR_TXT, on_txt, e);
}

/* The oldest that nobody needs makes place; whoever is needed goes to the end,
 * so that nobody looks at many in vain. */
static void
make_room(void)
{
	struct entry *e;

	for (int i = 0; i < LOOKS && HASH_COUNT(entries) >= ENTRY_MAX; i++) {
		e = entries;
		HASH_DEL(entries, e);
		if (e->busy || e->asking || e->fetching)
			HASH_ADD_STR(entries, domain, e);
		else
			free(e);
	}
}

static struct entry *
find(const char *domain)
{
	struct entry *e;

	HASH_FIND_STR(entries, domain, e);
	if (e != NULL)
		return e;
	make_room();
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		abort();
	snprintf(e->domain, sizeof(e->domain), "%s", domain);
	TAILQ_INIT(&e->waiters);
	timer_init(&e->timer, on_time, e);
	HASH_ADD_STR(entries, domain, e);
	return e;
}

uint64_t
sts_ask(const char *domain, sts_fn *fn, void *arg)
{
	struct entry *e = find(domain);
	const struct msg_domain *d = known_look(domain);
	struct waiter *w;
	uint64_t ticket = ++tickets;

	if (!e->busy && d != NULL && e->checked_ms != 0 &&
	    loop_now_ms() - e->checked_ms < CHECK_MS) {
		tell(fn, arg, d, e->problem);
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	*w = (struct waiter){ .ticket = ticket, .fn = fn, .arg = arg };
	TAILQ_INSERT_TAIL(&e->waiters, w, link);
	if (!e->busy) {
		e->busy = true;
		known_ask(domain, on_known, e);
	}
	return ticket;
}

void
sts_forget(const char *domain, uint64_t ticket)
{
	struct entry *e;
	struct waiter *w;

	HASH_FIND_STR(entries, domain, e);
	if (ticket == 0 || e == NULL)
		return;
	TAILQ_FOREACH (w, &e->waiters, link)
		if (w->ticket == ticket) {
			TAILQ_REMOVE(&e->waiters, w, link);
			free(w);
			return;
		}
}
