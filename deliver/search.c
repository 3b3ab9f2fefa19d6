/*
 * search.c - see search.h.
 *
 * pump() is the only place that answers; an answer of the resolver, which may
 * come inside of lookup_ask(), only notes what it brings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/lookup.h"
#include "deliver/mx.h"
#include "deliver/places.h"
#include "deliver/search.h"
#include "deliver/self.h"
#include "deliver/vouch.h"
#include "lib/loop.h"
#include "mail/domain.h"

#define DNS_TIMEOUT_MS 60000
#define NULL_MX        "" /* the host "." of RFC 7505 */

struct search {
	char name[256];
	bool mx;
	unsigned port;
	search_found_fn *found;
	void *arg;

	struct exchanger hosts[ANSWER_MAX];
	struct vouch vouches[ANSWER_MAX]; /* by host */
	unsigned nhosts;
	char site[MX_SITE_SIZE];
	bool secure_mx;
	unsigned group, group_end; /* hosts of the preference at hand */
	struct places places;      /* and their addresses */
	bool tlsa_asked;           /* of the preference at hand */

	bool started, literal;
	bool any;              /* target was given */
	bool wanted;           /* an answer */
	struct lookup *lookup; /* what we ask of DNS */
	struct timer timer;

	bool failed;
	struct outcome failure;
};

/* Of several failures a temporary one decides: later it may be different. */
static void
note(struct search *s, struct outcome o)
{
	if (s->failed && !(s->failure.verdict == V_PERM && o.verdict == V_TEMP))
		return;
	s->failed = true;
	s->failure = o;
	if (!s->mx)
		outcome_soften(&s->failure); /* a route is our own affair */
}

static void
note_dns(struct search *s, enum dns_result result, const char *name,
    const char *type)
{
	note(s,
	    outcome_make(V_TEMP, SCOPE_DEST, 0, "4.4.3",
		result == DNS_BOGUS ? "DNSSEC validation of %s (%s) failed"
				    : "DNS lookup of %s (%s) failed",
		name, type));
}

static void
note_loop(struct search *s)
{
	note(s,
	    outcome_make(V_PERM, SCOPE_DEST, 0, "5.4.6",
		"mail for %s would come back to this server", s->name));
}

/* The null MX says that a domain takes no mail (RFC 7505). */
static bool
is_null_mx(const struct answer *a)
{
	return a->n == 1 && strcmp(a->records[0].host, NULL_MX) == 0;
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
		note(s,
		    outcome_make(V_PERM, SCOPE_DEST, 0, "5.1.10",
			"%s accepts no mail (null MX)", s->name));
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
hear_mx(struct search *s, enum dns_result result, const struct answer *a,
    bool secure)
{
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
		note(s,
		    outcome_make(V_PERM, SCOPE_DEST, 0, "5.1.2",
			"no such domain in DNS: %s", s->name));
		break;
	case DNS_BOGUS:
	case DNS_FAILED:
		note_dns(s, result, s->name, "MX");
		break;
	}
}

static void
hear_address(struct search *s, enum rr_type type, unsigned host,
    enum dns_result result, const struct answer *a, bool secure)
{
	if (result == DNS_FOUND) {
		places_add_answer(&s->places, host, a, s->port);
		vouch_address(&s->vouches[host], a, secure);
	} else if (result == DNS_FAILED || result == DNS_BOGUS) {
		note_dns(s, result, s->hosts[host].host,
		    type == RR_A ? "A" : "AAAA");
	}
}

static void
ask_vouch(struct search *s, unsigned host)
{
	char name[VOUCH_QUESTION];
	enum rr_type type;

	if (vouch_asks(
		&s->vouches[host], s->hosts[host].host, s->port, name, &type))
		lookup_ask(s->lookup, name, type, host);
}

static void
on_answer(void *arg, enum rr_type type, unsigned host, enum dns_result result,
    const struct answer *a, bool secure)
{
	struct search *s = arg;

	switch (type) {
	case RR_MX:
		hear_mx(s, result, a, secure);
		break;
	case RR_A:
	case RR_AAAA:
		hear_address(s, type, host, result, a, secure);
		break;
	default:
		vouch_hear(
		    &s->vouches[host], s->hosts[host].host, result, a, secure);
		ask_vouch(s, host);
		break;
	}
}

static void
ask_group_tlsa(struct search *s)
{
	s->tlsa_asked = true;
	if (!s->secure_mx)
		return;
	lookup_begin(s->lookup);
	for (unsigned i = s->group; i < s->group_end; i++) {
		vouch_begin(&s->vouches[i]);
		ask_vouch(s, i);
	}
	lookup_end(s->lookup);
}

static void
ask_group(struct search *s)
{
	unsigned i = s->group;

	places_clear(&s->places);
	s->tlsa_asked = false;
	while (s->group_end < s->nhosts &&
	    s->hosts[s->group_end].preference == s->hosts[i].preference)
		s->group_end++;
	lookup_begin(s->lookup);
	for (; i < s->group_end; i++) {
		lookup_ask(s->lookup, s->hosts[i].host, RR_AAAA, i);
		lookup_ask(s->lookup, s->hosts[i].host, RR_A, i);
	}
	lookup_end(s->lookup);
}

/* All answers for the preference are in. */
static void
finish_group(struct search *s)
{
	if (places_has_self(&s->places)) {
		s->group = s->group_end = s->nhosts = 0;
		note_loop(s);
		return;
	}
	places_line_up(&s->places, s->group, s->group_end);
	s->group = s->group_end;
}

static void
fill(const struct search *s, const struct place *p, struct target *t)
{
	snprintf(t->host, sizeof(t->host), "%s", s->hosts[p->host].host);
	t->literal = s->literal;
	t->address = p->address;
	t->by_mx = s->mx && !s->literal;
	t->secure_mx = s->secure_mx;
	t->dane = s->vouches[p->host].dane;
	t->tlsa = s->vouches[p->host].tlsa;
}

static void
give(struct search *s, const struct place *p)
{
	struct target t;

	s->wanted = false;
	timer_clear(&s->timer);
	if (p == NULL) {
		if (!s->any && !s->failed)
			note(s,
			    outcome_make(V_PERM, SCOPE_DEST, 0, "5.4.4",
				"no mail server of %s has an address",
				s->name));
		s->found(s->arg, NULL);
		return;
	}
	s->any = true;
	fill(s, p, &t);
	s->found(s->arg, &t);
}

/* An address needs no lookup. */
static bool
start_literal(struct search *s)
{
	struct net_address a;
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
	if (!net_parse(&a, address, n, s->port))
		return false;
	s->literal = true;
	add_host(s, 0, "");
	net_text((const struct sockaddr *)&a.ss, s->hosts[0].host);
	s->group_end = 1;
	places_add(&s->places, 0, &a);
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
		note(s,
		    outcome_make(V_PERM, SCOPE_DEST, 0, "5.1.2",
			"no such domain in DNS: %s", s->name));
	} else {
		lookup_begin(s->lookup);
		lookup_ask(s->lookup, s->name, RR_MX, 0);
		lookup_end(s->lookup);
	}
}

static void
pump(struct search *s)
{
	const struct place *place;

	while (s->wanted && !lookup_waits(s->lookup)) {
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
		place = places_next(&s->places);
		if (place != NULL || s->group == s->nhosts) {
			give(s, place);
			return; /* s may be gone */
		}
		ask_group(s);
	}
	if (lookup_waits(s->lookup) && !timer_pending(&s->timer))
		timer_set(&s->timer, DNS_TIMEOUT_MS);
}

static void
on_ready(void *arg)
{
	pump(arg);
}

/* Go on with what is there; later answers are not waited for. */
static void
on_timeout(void *arg)
{
	struct search *s = arg;

	lookup_forget(s->lookup);
	note(s,
	    outcome_make(V_TEMP, SCOPE_DEST, 0, "4.4.3",
		"DNS lookup for %s timed out", s->name));
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
	s->lookup = lookup_new(on_answer, on_ready, s);
	timer_init(&s->timer, on_timeout, s);
	return s;
}

void
search_free(struct search *s)
{
	if (s == NULL)
		return;
	timer_clear(&s->timer);
	lookup_free(s->lookup);
	for (unsigned i = 0; i < ANSWER_MAX; i++)
		vouch_clear(&s->vouches[i]);
	free(s);
}

void
search_next(struct search *s)
{
	s->wanted = true;
	pump(s);
}

bool
search_swap(struct search *s, const char *host, struct target *t)
{
	const struct place *p;

	for (unsigned i = 0; i < s->nhosts; i++) {
		if (strcmp(s->hosts[i].host, host) != 0 ||
		    (p = places_swap(&s->places, i)) == NULL)
			continue;
		fill(s, p, t);
		return true;
	}
	return false;
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
