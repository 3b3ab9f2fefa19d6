/*
 * carry.c - see carry.h.
 *
 * A failure that is about a server sends the job to the next address; one
 * that is about a recipient is final and was settled by the talk.  What is
 * still open at the end gets the failure that we remember.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/carry.h"
#include "deliver/link.h"
#include "deliver/results.h"
#include "deliver/search.h"
#include "deliver/sts.h"
#include "lib/log.h"
#include "lib/loop.h"

#define ATTEMPTS 5 /* connections for one job at most */

/* A job ends within an hour and what its bytes take at 8 KiB/s, whatever the
 * servers do to stay within each timeout. */
#define JOB_S        3600
#define BYTES_SECOND 8192

struct carry {
	struct job *job;
	struct carry **slot;
	carry_news_fn *news;
	void *arg;

	struct conf_route route;
	struct search *search;
	struct target target; /* the latest */
	bool found;           /* it waits for the MTA-STS policy */
	uint64_t ticket;      /* of the question for that, or 0 */
	bool sts_asked, sts_known;
	enum sts_mode sts;
	char *sts_mx;            /* what it lists */
	char tried[TARGET_NAME]; /* ahead of the search, on a kept connection */
	struct link *link;
	struct berth_wait wait; /* for a connection to begin */
	bool anew;              /* and not to go on with one that rests */
	unsigned attempts;
	enum demand demand;   /* of the message */
	struct policy policy; /* for the target */
	bool clear;           /* TLS failed with this target, go without */
	bool failed;
	bool weak; /* the failure gives way to any other */
	struct outcome failure;
	struct timer timer;
};

static void on_link(void *arg, enum link_result, const struct outcome *);

/* A temporary failure is remembered rather than a permanent one: a server
 * that could not be asked might have taken it. */
static void
remember(struct carry *c, const struct outcome *o)
{
	if (c->failed && !c->weak &&
	    (c->failure.verdict == V_TEMP || o->verdict == V_PERM))
		return;
	c->failed = true;
	c->weak = false;
	c->failure = *o;
	/* A route is our own affair: its refusal to talk bounces nothing. */
	if (!c->route.mx && o->scope == SCOPE_DEST && c->demand != DEMAND_TLS)
		outcome_soften(&c->failure);
}

static void
finish(struct carry *c)
{
	carry_news_fn *news = c->news;
	void *arg = c->arg;
	struct job *job = c->job;
	struct outcome o;

	if (job->open > 0 && !c->failed) {
		o = outcome_make(V_TEMP, SCOPE_DEST, 0, "4.4.1",
		    "no mail server of %s could be reached", job->domain);
		remember(c, &o);
	}
	if (c->search != NULL)
		memcpy(job->site, search_site(c->search), sizeof(job->site));
	job_settle_rest(job, &c->failure);
	*c->slot = NULL;
	berths_unwait(&c->wait);
	timer_clear(&c->timer);
	search_free(c->search);
	sts_forget(job->domain, c->ticket);
	free(c->sts_mx);
	free(c);
	news(arg, job);
}

static void
set_key(const struct carry *c, const struct target *t, struct link_key *key)
{
	link_key_init(key, &c->route, t->host);
	key->demand = c->demand;
	key->policy = c->policy;
	key->clear = c->clear;
}

static void
begin_link(struct carry *c)
{
	struct link_key key;

	set_key(c, &c->target, &key);
	link_open(&key, &c->target, c->route.mx ? c->job->domain : "", c->job,
	    &c->link, on_link, c);
}

/* Go on with a connection to the target that rests, if one does. */
static bool
reuse(struct carry *c)
{
	struct link_key key;

	set_key(c, &c->target, &key);
	return link_reuse(&key, c->job, &c->link, on_link, c);
}

static void
on_berth(void *arg)
{
	struct carry *c = arg;

	if (c->anew || !reuse(c))
		begin_link(c);
}

static void
connect_target(struct carry *c, bool anew)
{
	struct berths *b = c->job->berths;

	if (berths_free(b)) {
		begin_link(c);
		return;
	}
	c->anew = anew;
	berths_wait(b, &c->wait, on_berth, c);
	link_make_room(b);
}

static void try_next(struct carry *);

static void
decide(struct carry *c)
{
	const struct target *t = &c->target;
	struct policy_input in = {
		.route = c->route.tls,
		.demand = c->demand,
		.by_mx = t->by_mx,
		.secure_mx = t->secure_mx,
		.dane = t->dane,
		.sts = c->sts,
		.sts_lists_host =
		    c->sts_mx != NULL && sts_lists(c->sts_mx, t->host),
	};

	c->policy = policy_decide(&in);
}

/* To the domain it is news that its own policy kept mail away. */
static void
note(const struct carry *c)
{
	const struct policy *p = &c->policy;

	if (c->route.mx && p->verdict == V_TEMP && c->job->trial == NULL)
		results_session(c->job->domain, &c->target, p, c->demand, -1,
		    p->by == BY_DANE ? TLSRPT_DNSSEC_INVALID
				     : TLSRPT_VALIDATION,
		    p->why);
}

/* The policy rules this target out. */
static void
pass_over(struct carry *c)
{
	const struct policy *p = &c->policy;
	struct outcome o;

	o = outcome_make(p->verdict, SCOPE_DEST, 0, p->status, "%.250s: %s",
	    c->target.host, p->why);
	target_name(&c->target, o.mx);
	remember(c, &o);
	note(c);
	try_next(c);
}

/* Where nothing new may begin, a server of the same preference that we are
 * connected to already is better than to part with it. */
static bool
turn_to_kept(struct carry *c)
{
	const char *host;
	struct link_key key;

	if (berths_free(c->job->berths))
		return false;
	set_key(c, &c->target, &key);
	host = link_kept_host(&key, c->job);
	return host != NULL && search_swap(c->search, host, &c->target);
}

/* Target and MTA-STS policy are here. */
static void
proceed(struct carry *c)
{
	bool turned = false;

	c->found = false;
	for (;;) {
		decide(c);
		if (c->policy.verdict != V_OK) {
			pass_over(c);
			return;
		}
		c->attempts += !turned;
		if (reuse(c))
			return;
		if (turned || !turn_to_kept(c))
			break;
		turned = true;
	}
	connect_target(c, false);
}

static void
on_sts(void *arg, enum sts_mode mode, const struct msg_domain *d,
    const char *problem)
{
	struct carry *c = arg;

	(void)problem;
	c->ticket = 0;
	c->sts_known = true;
	c->sts = mode;
	if (mode != STS_NONE && (c->sts_mx = strdup(d->sts_mx)) == NULL)
		abort();
	if (c->found)
		proceed(c);
}

static void
on_target(void *arg, const struct target *t)
{
	struct carry *c = arg;
	struct outcome o;
	char name[TARGET_NAME];

	if (t == NULL) {
		if (search_failure(c->search, &o))
			remember(c, &o);
		finish(c);
		return;
	}
	target_name(t, name);
	if (strcmp(name, c->tried) == 0) {
		search_next(c->search);
		return;
	}
	c->clear = false;
	c->target = *t;
	c->found = true;
	if (c->sts_known)
		proceed(c);
}

/* Beside the search for MX; only where it can have a say. */
static void
ask_sts(struct carry *c)
{
	uint64_t ticket;

	c->sts_asked = true;
	if (!c->route.mx || *c->job->domain == '[') {
		c->sts_known = true;
		return;
	}
	ticket = sts_ask(c->job->domain, on_sts, c);
	if (!c->sts_known)
		c->ticket = ticket;
}

static void
try_next(struct carry *c)
{
	if (c->attempts >= ATTEMPTS) {
		finish(c);
		return;
	}
	if (!c->sts_asked)
		ask_sts(c);
	if (c->search == NULL)
		c->search =
		    search_new(c->route.mx ? c->job->domain : c->route.host,
			c->route.mx, c->route.port, on_target, c);
	search_next(c->search);
}

/* What a connection that failed says of the server, whatever becomes of this
 * job by another one.  What we ask for and it does not have (TLS, a password)
 * is the domain's affair, or that of a route. */
static void
note_signs(
    struct carry *c, enum link_result result, const struct outcome *failure)
{
	bool ours = failure->code == 0 && failure->status[2] == '7';

	if (failure->code == 421) {
		c->job->signs |= SIGN_BUSY;
		/* It has too many clients, and those that rest are some. */
		link_close_resting(c->job->berths);
	} else if (result == LINK_UNREACHED ||
	    (result == LINK_FAILED && failure->scope == SCOPE_DEST && !ours))
		c->job->signs |= SIGN_SILENT;
}

/* The server has no TLS that works with ours; the route allows none. */
static void
try_clear(struct carry *c, const struct outcome *failure)
{
	log_event("deliver.clear", "mx=%s error=%s", log_quote(failure->mx),
	    log_quote(failure->text));
	c->clear = true;
	connect_target(c, true);
}

static void
on_link(void *arg, enum link_result result, const struct outcome *failure)
{
	struct carry *c = arg;
	bool first = !c->failed || c->weak;

	switch (result) {
	case LINK_DONE:
		finish(c);
		return;
	case LINK_PART:
		c->news(c->arg, c->job);
		return;
	case LINK_STALE:
		/* Same server, new connection; without a search there is no
		 * server yet. */
		if (c->search == NULL)
			try_next(c);
		else
			connect_target(c, true);
		return;
	case LINK_TLS_FAILED:
		if (c->policy.tls == ROUTE_TLS_MAY) {
			try_clear(c, failure);
			return;
		}
		break;
	case LINK_NO_WAY:
		c->attempts--;
		break;
	case LINK_UNREACHED:
	case LINK_FAILED:
		break;
	}
	note_signs(c, result, failure);
	remember(c, failure);
	if (c->search == NULL)
		memcpy(c->tried, failure->mx, sizeof(c->tried));
	c->weak = first && result == LINK_NO_WAY;
	try_next(c);
}

static void
on_timer(void *arg)
{
	carry_abort(arg, "delivery took too long");
}

static const struct conf_route *
route_of(const struct conf *conf, const struct job *job, const char *domain)
{
	return conf_route(
	    conf, &(struct conf_mail){ domain, job->account, job->sender });
}

/* The queue put together what by our configuration, which may be a moment
 * newer, does not go the same way. */
static void
leave_behind(
    struct job *job, const struct conf *conf, const struct conf_route *first)
{
	const struct conf_route *r;
	struct outcome o = outcome_make(
	    V_TEMP, SCOPE_RCPT, 0, "4.3.2", "its route has just changed");

	for (const struct part *p = job->parts + 1;
	     p < job->parts + job->nparts; p++) {
		r = route_of(conf, job, p->domain);
		if (r != first ||
		    (r->mx && strcmp(p->domain, job->domain) != 0))
			job_settle_part(job, p, &o);
	}
}

void
carry_start(struct job *job, const struct conf *conf, struct carry **slot,
    carry_news_fn *news, void *arg)
{
	struct carry *c = calloc(1, sizeof(*c));
	uint64_t extra_s = letter_size(&job->letter) / BYTES_SECOND;
	const struct conf_route *r = route_of(conf, job, job->domain);
	struct link_key key;

	if (c == NULL)
		abort();
	c->job = job;
	c->slot = slot;
	*slot = c;
	c->news = news;
	c->arg = arg;
	c->route = *r;
	leave_behind(job, conf, r);
	c->demand = policy_demand(job->flags);
	timer_init(&c->timer, on_timer, c);
	timer_set(&c->timer, (JOB_S + (int64_t)extra_s) * 1000);
	memcpy(c->target.host, c->route.host, sizeof(c->target.host));
	set_key(c, &c->target, &key);
	if (c->route.mx ? link_reuse_domain(
			      &key, job->domain, job, &c->link, on_link, c)
			: link_reuse_route(&key, job, &c->link, on_link, c))
		return;
	try_next(c);
}

void
carry_abort(struct carry *c, const char *why)
{
	struct outcome o;

	o = outcome_make(V_TEMP, SCOPE_RCPT, 0, "4.3.2", "%s", why);
	if (c->link != NULL)
		link_abort(c->link, why);
	remember(c, &o);
	finish(c);
}

bool
carry_is_talking(const struct carry *c)
{
	return c->link != NULL && link_is_talking(c->link);
}

bool
carry_is_waiting(const struct carry *c)
{
	return c->link != NULL && link_is_waiting(c->link);
}
