/*
 * trial.c - see trial.h.
 *
 * domain facts ── next target ── policy ── conversation ── row ──┐
 *                     └──────────────────────────────────────────┘
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/link.h"
#include "deliver/policy.h"
#include "deliver/search.h"
#include "deliver/sts.h"
#include "deliver/talk.h"
#include "deliver/trial.h"
#include "lib/code.h"
#include "lib/loop.h"
#include "mail/address.h"

#define SERVERS  10 /* asked at most */
#define SERVER_S 60

struct trial {
	trial_row_fn *row;
	void *arg;
	struct conf_route route;
	char address[ADDR_SIZE];
	struct job job;
	struct part part; /* all of it */
	struct finding finding;
	struct search *search;
	struct link *link;
	struct target target;
	struct policy policy;
	uint64_t ticket; /* of the MTA-STS question */
	enum sts_mode sts;
	char *sts_mx;
	bool asked, sts_known;
	unsigned servers, good;
	struct timer begin, late;
};

static void next(struct trial *);

static void fact(struct trial *, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fact(struct trial *t, const char *key, const char *fmt, ...)
{
	struct msg m = { .type = MSG_STATUS_ROW };
	va_list ap;

	snprintf(m.u.status_row.key, sizeof(m.u.status_row.key), "%s", key);
	va_start(ap, fmt);
	vsnprintf(m.u.status_row.value, sizeof(m.u.status_row.value), fmt, ap);
	va_end(ap);
	t->row(t->arg, &m);
}

static void
end(struct trial *t, const char *why)
{
	struct msg m = { .type = MSG_CMD_DONE };
	struct msg_cmd_done *d = &m.u.cmd_done;
	trial_row_fn *row = t->row;
	void *arg = t->arg;

	d->exit_code = t->good > 0 ? CODE_OK : CODE_NO;
	d->count = t->good;
	if (t->good > 0)
		snprintf(d->text, sizeof(d->text),
		    "%u of %u servers would take it", t->good, t->servers);
	else if (why != NULL)
		snprintf(d->text, sizeof(d->text), "%s", why);
	else
		snprintf(d->text, sizeof(d->text),
		    t->servers == 1 ? "its server would not take it"
				    : "none of %u servers would take it",
		    t->servers);
	trial_stop(t);
	row(arg, &m);
}

static const char *
dane_name(enum dane_state d)
{
	static const char *const names[] = { [DANE_NONE] = "none",
		[DANE_USABLE] = "usable",
		[DANE_UNUSABLE] = "unusable",
		[DANE_FAILED] = "failed" };

	return names[d];
}

static void
list_offers(const struct finding *f, char *out, size_t size)
{
	static const struct {
		enum offer offer;
		const char *word;
	} words[] = { { OFFERS_PIPELINING, "PIPELINING" },
		{ OFFERS_8BITMIME, "8BITMIME" },
		{ OFFERS_REQUIRETLS, "REQUIRETLS" },
		{ OFFERS_CHUNKING, "CHUNKING" }, { OFFERS_DSN, "DSN" },
		{ OFFERS_SMTPUTF8, "SMTPUTF8" } };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (f->offers & words[i].offer)
			n += (size_t)snprintf(out + n, size - n, "%s%s",
			    n > 0 ? " " : "", words[i].word);
	if (f->size_limit > 0)
		snprintf(out + n, size - n, "%sSIZE=%" PRIu64, n > 0 ? " " : "",
		    f->size_limit);
}

/* One server is done. */
static void
tell(struct trial *t, const struct outcome *o)
{
	struct msg m = { .type = MSG_RELAY_ROW };
	struct msg_relay_row *r = &m.u.relay_row;

	timer_clear(&t->late);
	t->servers++;
	memcpy(r->host, t->target.host, sizeof(r->host));
	target_name(&t->target, r->mx);
	snprintf(r->dane, sizeof(r->dane), "%s", dane_name(t->target.dane));
	if (t->sts_mx != NULL)
		snprintf(r->sts, sizeof(r->sts), "%s",
		    sts_lists(t->sts_mx, t->target.host) ? "listed"
							 : "not listed");
	snprintf(r->policy, sizeof(r->policy), "%s",
	    policy_name(&t->policy,
		o->tls[0] != '\0' || t->policy.tls != ROUTE_TLS_MAY));
	r->verdict = o->verdict;
	r->code = (uint32_t)o->code;
	memcpy(r->status, o->status, sizeof(r->status));
	memcpy(r->text, o->text, sizeof(r->text));
	memcpy(r->tls, o->tls, sizeof(r->tls));
	memcpy(r->cipher, o->cipher, sizeof(r->cipher));
	memcpy(r->certificate, t->finding.certificate, sizeof(r->certificate));
	list_offers(&t->finding, r->offers, sizeof(r->offers));
	t->good += o->verdict == V_OK;
	t->row(t->arg, &m);
	next(t);
}

/* The outcome of the one recipient. */
static void
take_verdict(void *arg, const struct part *p, const struct msg *m)
{
	const struct msg_job_verdict *v = &m->u.job_verdict;
	struct outcome *o = arg;

	(void)p;
	o->verdict = (enum verdict)v->verdict;
	o->code = (int)v->code;
	memcpy(o->status, v->status, sizeof(o->status));
	memcpy(o->tls, v->tls, sizeof(o->tls));
	memcpy(o->cipher, v->cipher, sizeof(o->cipher));
	memcpy(o->text, v->text, sizeof(o->text));
}

static void
on_link(void *arg, enum link_result result, const struct outcome *failure)
{
	struct trial *t = arg;
	struct outcome o =
	    outcome_make(V_TEMP, SCOPE_DEST, 0, "4.4.2", "no answer to RCPT");

	t->link = NULL;
	if (result == LINK_PART)
		return;
	if (failure != NULL)
		o = *failure;
	if (result == LINK_TLS_FAILED && t->policy.tls == ROUTE_TLS_MAY)
		snprintf(o.text, sizeof(o.text),
		    "TLS failed (%.300s); mail would go in the clear",
		    failure->text);
	if (failure == NULL)
		job_report(&t->job, take_verdict, &o);
	tell(t, &o);
}

static void
on_late(void *arg)
{
	struct trial *t = arg;
	struct outcome o;

	link_abort(t->link, "the test was over");
	t->link = NULL;
	o = outcome_make(
	    V_TEMP, SCOPE_DEST, 0, "4.4.1", "no end within %d s", SERVER_S);
	tell(t, &o);
}

static void
new_job(struct trial *t)
{
	struct job *j = &t->job;
	char domain[256];

	memcpy(domain, j->domain, sizeof(domain));
	free(j->outcomes);
	memset(j, 0, sizeof(*j));
	memset(&t->finding, 0, sizeof(t->finding));
	memcpy(j->domain, domain, sizeof(domain));
	j->sender = "";
	j->letter.fd = -1;
	j->trial = &t->finding;
	j->rcpts[0] = t->address;
	j->orcpt[0] = "";
	j->nrcpts = j->open = 1;
	t->part = (struct part){ .nrcpts = 1, .untold = 1 };
	j->parts = &t->part;
	j->nparts = 1;
	job_reopen(j);
}

static void
on_target(void *arg, const struct target *target)
{
	struct trial *t = arg;
	struct link_key key;
	struct policy_input in = { .route = t->route.tls, .sts = t->sts };
	struct outcome o;

	if (target == NULL) {
		end(t,
		    t->servers == 0 && search_failure(t->search, &o) ? o.text
								     : NULL);
		return;
	}
	t->target = *target;
	if (t->servers == 0 && target->by_mx)
		fact(t, "mx", "%s",
		    target->secure_mx ? "secure (DNSSEC)" : "not signed");
	in.by_mx = target->by_mx;
	in.secure_mx = target->secure_mx;
	in.dane = target->dane;
	in.sts_lists_host =
	    t->sts_mx != NULL && sts_lists(t->sts_mx, target->host);
	t->policy = policy_decide(&in);
	new_job(t);
	if (t->policy.verdict != V_OK) {
		o = outcome_make(t->policy.verdict, SCOPE_DEST, 0,
		    t->policy.status, "%s", t->policy.why);
		tell(t, &o);
		return;
	}
	/* A name that is wrong is told, even where nothing depends on it. */
	t->policy.watch = true;
	link_key_init(&key, &t->route, target->host);
	key.policy = t->policy;
	timer_set(&t->late, SERVER_S * 1000);
	link_open(&key, target, t->route.mx ? t->job.domain : "", &t->job,
	    &t->link, on_link, t);
}

static void
next(struct trial *t)
{
	if (t->servers == SERVERS)
		end(t, NULL);
	else
		search_next(t->search);
}

static void
seen(struct trial *t, const char *key, uint64_t when)
{
	uint64_t days = ((uint64_t)loop_wall_ms() / 1000 - when) / 86400;

	if (when != 0)
		fact(t, key, "%" PRIu64 " days ago", days);
}

static void
on_sts(void *arg, enum sts_mode mode, const struct msg_domain *d,
    const char *problem)
{
	struct trial *t = arg;

	t->ticket = 0;
	t->sts_known = true;
	t->sts = mode;
	if (mode != STS_NONE && (t->sts_mx = strdup(d->sts_mx)) == NULL)
		abort();
	fact(t, "mta-sts", "%s%s%.200s", sts_mode_name(mode),
	    mode != STS_NONE ? ", mx: " : "", d->sts_mx);
	if (problem != NULL)
		fact(t, "mta-sts.problem", "%s", problem);
	seen(t, "seen.starttls", d->seen_tls);
	seen(t, "seen.dane", d->seen_dane);
	seen(t, "seen.mta-sts", d->seen_sts);
	timer_set(&t->begin, 0);
}

/* First what is known of the domain, then its servers. */
static void
on_begin(void *arg)
{
	struct trial *t = arg;
	const struct conf_route *r = &t->route;
	char route[CONF_ROUTE_TEXT];
	uint64_t ticket;

	if (t->asked) {
		next(t);
		return;
	}
	t->asked = true;
	fact(t, "domain", "%s", t->job.domain);
	fact(t, "recipient", "%s", t->address);
	conf_route_text(r, route);
	fact(t, "route", "%s", route);
	t->search = search_new(
	    r->mx ? t->job.domain : r->host, r->mx, r->port, on_target, t);
	if (!r->mx || *t->job.domain == '[') {
		next(t);
		return;
	}
	ticket = sts_ask(t->job.domain, on_sts, t);
	if (!t->sts_known)
		t->ticket = ticket;
}

struct trial *
trial_start(const struct msg_relay_test *ask, const struct conf *conf,
    trial_row_fn *row, void *arg)
{
	const char *target = ask->target;
	const char *at = strrchr(target, '@');
	char text[ADDR_SIZE];
	struct address a;
	struct trial *t;

	/* It becomes a command: what could end a line has no business here. */
	if (snprintf(text, sizeof(text), "%s%s",
		at != NULL ? "" : "postmaster@", target) >= (int)sizeof(text) ||
	    !address_parse(&a, text, strlen(text)))
		return NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		abort();
	t->row = row;
	t->arg = arg;
	memcpy(t->job.domain, a.domain, sizeof(a.domain));
	address_format(&a, t->address);
	t->route = *conf_route(conf,
	    &(struct conf_mail){ t->job.domain, ask->account, ask->sender });
	timer_init(&t->begin, on_begin, t);
	timer_init(&t->late, on_late, t);
	timer_set(&t->begin, 0);
	return t;
}

void
trial_stop(struct trial *t)
{
	timer_clear(&t->begin);
	timer_clear(&t->late);
	if (t->link != NULL)
		link_abort(t->link, "nobody asks any more");
	sts_forget(t->job.domain, t->ticket);
	search_free(t->search);
	free(t->job.outcomes);
	free(t->sts_mx);
	free(t);
}
