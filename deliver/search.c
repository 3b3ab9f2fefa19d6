/*
 * search.c - see search.h.
 *
 * pump() is the only place that answers; an answer of the resolver, which may
 * come inside of dns_ask(), only notes what it brings and calls it.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/dns.h"
#include "deliver/mx.h"
#include "deliver/search.h"
#include "deliver/self.h"
#include "lib/loop.h"
#include "mail/domain.h"

#define DNS_TIMEOUT_MS 60000
#define PER_FAMILY     4  /* addresses of one host and family */
#define FOUND_MAX      40 /* addresses of one preference */
#define NULL_MX        "" /* the host "." of RFC 7505 */
#define TLSA_NAME      300

struct place {
	unsigned exchanger;
	enum rr_type type;
	struct net_address address;
};

/* What DNSSEC says of a host whose addresses were asked for. */
struct secured {
	bool found, insecure; /* addresses; one of them not validated */
	bool alias;
	char canonical[256]; /* what the alias stands for */
	enum dane_state dane;
	struct dane *tlsa;
};

struct search {
	char name[256];
	bool mx;
	unsigned port;
	search_found_fn *found;
	void *arg;

	struct exchanger hosts[ANSWER_MAX];
	unsigned nhosts;
	char site[MX_SITE_SIZE];
	bool secure_mx;
	struct secured secured[ANSWER_MAX]; /* by host */
	bool tlsa_asked;                    /* of the preference at hand */
	unsigned group, group_end;      /* hosts of the preference at hand */
	struct place places[FOUND_MAX]; /* and their addresses */
	unsigned nplaces;
	uint8_t order[FOUND_MAX]; /* in which those are given */
	unsigned norder, next;

	bool started, literal;
	bool any;            /* target was given */
	bool wanted;         /* an answer */
	unsigned pending;    /* questions we wait for */
	unsigned open;       /* questions that know this struct */
	unsigned generation; /* of questions; older ones are not waited for */
	bool asking;         /* more questions follow */
	bool freed;
	struct timer timer;

	bool failed;
	struct outcome failure;
};

struct question {
	struct search *search;
	unsigned generation;
	unsigned host;
	enum rr_type type;
	bool canonical; /* TLSA of what an alias stands for */
};

static void pump(struct search *);

void
target_name(const struct target *t, char out[TARGET_NAME])
{
	const struct sockaddr *sa = (const struct sockaddr *)&t->address.ss;
	char ip[NET_TEXT];

	net_text(sa, ip);
	if (t->literal)
		snprintf(out, TARGET_NAME, "[%s]:%u", ip, net_port(sa));
	else
		snprintf(out, TARGET_NAME, "%.220s[%s]:%u", t->host, ip,
		    net_port(sa));
}

/* Of several failures a temporary one decides: later it may be different. */
static void
note(struct search *s, const struct outcome *o)
{
	if (s->failed &&
	    !(s->failure.verdict == V_PERM && o->verdict == V_TEMP))
		return;
	s->failed = true;
	s->failure = *o;
	if (!s->mx)
		outcome_soften(&s->failure); /* a route is our own affair */
}

static void
note_dns(struct search *s, enum dns_result result, const char *name,
    const char *type)
{
	struct outcome o;

	o = outcome_make(V_TEMP, SCOPE_DEST, 0, "4.4.3",
	    result == DNS_BOGUS ? "DNSSEC validation of %s (%s) failed"
				: "DNS lookup of %s (%s) failed",
	    name, type);
	note(s, &o);
}

static void
note_no_domain(struct search *s)
{
	struct outcome o;

	o = outcome_make(V_PERM, SCOPE_DEST, 0, "5.1.2",
	    "no such domain in DNS: %s", s->name);
	note(s, &o);
}

static void
note_loop(struct search *s)
{
	struct outcome o;

	o = outcome_make(V_PERM, SCOPE_DEST, 0, "5.4.6",
	    "mail for %s would come back to this server", s->name);
	note(s, &o);
}

static void
ask(struct search *s, const char *name, enum rr_type type, unsigned host,
    dns_answer_fn *done)
{
	struct question *q = malloc(sizeof(*q));

	if (q == NULL)
		abort();
	*q = (struct question){ s, s->generation, host, type, false };
	s->pending++;
	s->open++;
	dns_ask(name, type, done, q);
}

static void
destroy(struct search *s)
{
	for (unsigned i = 0; i < ANSWER_MAX; i++)
		free(s->secured[i].tlsa);
	free(s);
}

/* The search of an answered question; NULL when nobody waits for it. */
static struct search *
answered(struct question *q)
{
	struct search *s = q->search;
	bool waited = !s->freed && q->generation == s->generation;

	s->open--;
	if (waited)
		s->pending--;
	else if (s->freed && s->open == 0)
		destroy(s);
	return waited ? s : NULL;
}

/* The null MX says that a domain takes no mail (RFC 7505). */
static bool
is_null_mx(const struct answer *a)
{
	return a->n == 1 && strcmp(a->records[0].host, NULL_MX) == 0;
}

static void
note_null_mx(struct search *s)
{
	struct outcome o;

	o = outcome_make(V_PERM, SCOPE_DEST, 556, "5.1.10",
	    "%s accepts no mail (null MX)", s->name);
	note(s, &o);
}

static void
add_host(struct search *s, unsigned preference, const char *host)
{
	struct exchanger *x = &s->hosts[s->nhosts++];
	size_t n = strnlen(host, sizeof(x->host) - 1);

	x->preference = preference;
	memcpy(x->host, host, n);
	x->host[n] = '\0';
}

static void
cut_ourselves(struct search *s)
{
	unsigned n = mx_before(s->hosts, s->nhosts, self_name());

	if (n == s->nhosts)
		return;
	s->nhosts = n;
	note_loop(s);
}

static void
take_mx(struct search *s, const struct answer *a)
{
	if (is_null_mx(a)) {
		note_null_mx(s);
		return;
	}
	for (unsigned i = 0; i < a->n; i++)
		if (strcmp(a->records[i].host, NULL_MX) != 0)
			add_host(
			    s, a->records[i].preference, a->records[i].host);
	mx_site(s->hosts, s->nhosts, s->site);
	mx_order(s->hosts, s->nhosts, arc4random_uniform);
	cut_ourselves(s);
}

static void
on_mx(void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct question *q = arg;
	struct search *s = answered(q);

	free(q);
	if (s == NULL)
		return;
	s->secure_mx = secure;
	switch (result) {
	case DNS_FOUND:
		take_mx(s, a);
		break;
	case DNS_NOTHING:
		/* RFC 5321 5.1: the domain itself, as if it were its MX. */
		add_host(s, 0, s->name);
		mx_site(s->hosts, s->nhosts, s->site);
		cut_ourselves(s);
		break;
	case DNS_NO_NAME:
		note_no_domain(s);
		break;
	case DNS_BOGUS:
	case DNS_FAILED:
		note_dns(s, result, s->name, "MX");
		break;
	}
	pump(s);
}

static void
take_addresses(
    struct search *s, const struct question *q, const struct answer *a)
{
	for (unsigned i = 0; i < a->n && i < PER_FAMILY; i++) {
		struct place *p;

		if (s->nplaces == FOUND_MAX)
			return;
		p = &s->places[s->nplaces++];
		p->exchanger = q->host;
		p->type = q->type;
		p->address = a->records[i].address;
		net_set_port(&p->address, s->port);
	}
}

static void
note_secured(struct secured *x, const struct answer *a, bool secure)
{
	x->found = true;
	x->insecure |= !secure;
	x->alias = a->alias;
	memcpy(x->canonical, a->canonical, sizeof(x->canonical));
}

static void
on_address(
    void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct question *q = arg;
	struct search *s = answered(q);

	if (s != NULL && result == DNS_FOUND) {
		take_addresses(s, q, a);
		note_secured(&s->secured[q->host], a, secure);
	} else if (s != NULL && (result == DNS_FAILED || result == DNS_BOGUS)) {
		note_dns(s, result, s->hosts[q->host].host,
		    q->type == RR_A ? "A" : "AAAA");
	}
	free(q);
	if (s != NULL)
		pump(s);
}

static void ask_tlsa(struct search *, unsigned host, bool canonical);

/* RFC 7672 2.2.2: the expanded name first, then the one in the MX record. */
static void
on_tlsa(void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct question *q = arg;
	struct search *s = answered(q);
	struct secured *x;

	if (s == NULL) {
		free(q);
		return;
	}
	x = &s->secured[q->host];
	if (result == DNS_FOUND && secure)
		x->dane = dane_take(a,
		    q->canonical ? x->canonical : s->hosts[q->host].host,
		    &x->tlsa);
	else if (result != DNS_BOGUS && result != DNS_FAILED)
		x->dane = DANE_NONE;
	if (x->dane == DANE_NONE && q->canonical)
		ask_tlsa(s, q->host, false);
	free(q);
	pump(s);
}

/* An alias into a zone without DNSSEC: the alias itself may be secure, and
 * then its own name has a say (RFC 7672 2.2.2). */
static void
on_alias(void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct question *q = arg;
	struct search *s = answered(q);

	(void)a;
	if (s != NULL) {
		if (result == DNS_FOUND && secure)
			ask_tlsa(s, q->host, false);
		else if (result != DNS_BOGUS && result != DNS_FAILED)
			s->secured[q->host].dane = DANE_NONE;
	}
	free(q);
	if (s != NULL)
		pump(s);
}

static void
ask_tlsa(struct search *s, unsigned host, bool canonical)
{
	struct secured *x = &s->secured[host];
	struct question *q = malloc(sizeof(*q));
	bool asking = s->asking;
	char name[TLSA_NAME];

	if (q == NULL)
		abort();
	*q = (struct question){ s, s->generation, host, RR_TLSA, canonical };
	snprintf(name, sizeof(name), "_%u._tcp.%s", s->port,
	    canonical ? x->canonical : s->hosts[host].host);
	s->pending++;
	s->open++;
	s->asking = true;
	dns_ask(name, RR_TLSA, on_tlsa, q);
	s->asking = asking;
}

/* Until an answer says otherwise: unknown (RFC 7672 2.1.2). */
static void
ask_group_tlsa(struct search *s)
{
	s->tlsa_asked = true;
	s->asking = true;
	for (unsigned i = s->group; i < s->group_end && s->secure_mx; i++) {
		struct secured *x = &s->secured[i];

		if (!x->found || (x->insecure && !x->alias))
			continue;
		x->dane = DANE_FAILED;
		if (x->insecure)
			ask(s, s->hosts[i].host, RR_CNAME, i, on_alias);
		else
			ask_tlsa(s, i, x->alias);
	}
	s->asking = false;
}

static void
ask_group(struct search *s)
{
	unsigned i = s->group;

	s->nplaces = s->norder = s->next = 0;
	s->tlsa_asked = false;
	while (s->group_end < s->nhosts &&
	    s->hosts[s->group_end].preference == s->hosts[i].preference)
		s->group_end++;
	s->asking = true;
	for (; i < s->group_end; i++) {
		ask(s, s->hosts[i].host, RR_AAAA, i, on_address);
		ask(s, s->hosts[i].host, RR_A, i, on_address);
	}
	s->asking = false;
}

/* The nth address of a host and family becomes the next in order. */
static void
line_up(struct search *s, unsigned host, enum rr_type type, unsigned n)
{
	for (unsigned i = 0; i < s->nplaces; i++)
		if (s->places[i].exchanger == host &&
		    s->places[i].type == type && n-- == 0)
			s->order[s->norder++] = (uint8_t)i;
}

static bool
is_ours(const struct place *p)
{
	return self_listens((const struct sockaddr *)&p->address.ss);
}

/* All answers for the preference are in. */
static void
finish_group(struct search *s)
{
	for (unsigned i = 0; i < s->nplaces; i++)
		if (is_ours(&s->places[i])) {
			s->group = s->group_end = s->nhosts = 0;
			note_loop(s);
			return;
		}
	for (; s->group < s->group_end; s->group++)
		for (unsigned n = 0; n < PER_FAMILY; n++) {
			line_up(s, s->group, RR_AAAA, n);
			line_up(s, s->group, RR_A, n);
		}
}

static void
note_no_address(struct search *s)
{
	struct outcome o;

	o = outcome_make(V_PERM, SCOPE_DEST, 0, "5.4.4",
	    "no mail server of %s has an address", s->name);
	note(s, &o);
}

static void
give(struct search *s, const struct place *p)
{
	struct target t;

	s->wanted = false;
	timer_clear(&s->timer);
	if (p == NULL) {
		if (!s->any && !s->failed)
			note_no_address(s);
		s->found(s->arg, NULL);
		return;
	}
	s->any = true;
	snprintf(t.host, sizeof(t.host), "%s", s->hosts[p->exchanger].host);
	t.literal = s->literal;
	t.address = p->address;
	t.by_mx = s->mx && !s->literal;
	t.secure_mx = s->secure_mx;
	t.dane = s->secured[p->exchanger].dane;
	t.tlsa = s->secured[p->exchanger].tlsa;
	s->found(s->arg, &t);
}

/* An address needs no lookup. */
static bool
start_literal(struct search *s)
{
	struct place *p = &s->places[0];
	char text[DOMAIN_MAX];
	const char *address = s->name;
	size_t n = strlen(s->name);

	if (s->mx && *s->name == '[') {
		if (!domain_literal(s->name, n, text))
			return false;
		address = text + (text[1] == 'I' ? strlen("[IPv6:") : 1);
		n = strcspn(address, "]");
	} else if (s->mx) {
		return false;
	}
	if (!net_parse(&p->address, address, n, s->port))
		return false;
	s->literal = true;
	p->exchanger = 0;
	add_host(s, 0, "");
	net_text((const struct sockaddr *)&p->address.ss, s->hosts[0].host);
	s->group = s->group_end = 1;
	if (is_ours(p)) {
		note_loop(s);
		return true;
	}
	s->nplaces = s->norder = 1;
	return true;
}

static void
start(struct search *s)
{
	s->started = true;
	if (start_literal(s))
		return;
	if (!s->mx) {
		s->secure_mx = true; /* the operator's own word */
		add_host(s, 0, s->name);
	} else if (*s->name == '[') {
		note_no_domain(s);
	} else {
		s->asking = true;
		ask(s, s->name, RR_MX, 0, on_mx);
		s->asking = false;
	}
}

static void
pump(struct search *s)
{
	while (s->wanted && s->pending == 0 && !s->asking) {
		if (!s->started) {
			start(s);
			continue;
		}
		if (s->group < s->group_end && !s->tlsa_asked) {
			ask_group_tlsa(s);
			continue;
		}
		if (s->group < s->group_end)
			finish_group(s);
		if (s->next < s->norder) {
			give(s, &s->places[s->order[s->next++]]);
			return; /* s may be gone */
		}
		if (s->group == s->nhosts) {
			give(s, NULL);
			return;
		}
		ask_group(s);
	}
	if (s->pending > 0 && !timer_pending(&s->timer))
		timer_set(&s->timer, DNS_TIMEOUT_MS);
}

/* Go on with what is there; later answers are not waited for. */
static void
on_timeout(void *arg)
{
	struct search *s = arg;
	struct outcome o;

	s->generation++;
	s->pending = 0;
	o = outcome_make(V_TEMP, SCOPE_DEST, 0, "4.4.3",
	    "DNS lookup for %s timed out", s->name);
	note(s, &o);
	pump(s);
}

struct search *
search_new(
    const char *name, bool mx, unsigned port, search_found_fn *found, void *arg)
{
	struct search *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->mx = mx;
	s->port = port;
	s->found = found;
	s->arg = arg;
	timer_init(&s->timer, on_timeout, s);
	return s;
}

void
search_free(struct search *s)
{
	if (s == NULL)
		return;
	timer_clear(&s->timer);
	s->freed = true;
	if (s->open == 0)
		destroy(s);
}

void
search_next(struct search *s)
{
	s->wanted = true;
	pump(s);
}

const char *
search_site(const struct search *s)
{
	return s->site;
}

bool
search_failure(const struct search *s, struct outcome *o)
{
	if (s->failed)
		*o = s->failure;
	return s->failed;
}
