/*
 * dns.c - see dns.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>

#include "deliver/dns.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/metric.h"

#define BACK_MS 60000 /* more than a time server takes back without need */

/* A resolver with its questions; retired ones go when the last is answered. */
struct resolver {
	struct ub_ctx *ctx;
	int64_t ahead_ms; /* the wall clock, of the other, at most so far */
	unsigned open;
	bool retired;
	struct timer reaper;
	char server[64];
	char *anchor;
};

struct question {
	struct resolver *resolver;
	unsigned type;
	dns_answer_fn *done; /* one of these */
	dns_packet_fn *packet_done;
	void *arg;
};

static struct resolver *current;

static void
reap(void *arg)
{
	struct resolver *r = arg;

	ub_ctx_delete(r->ctx);
	free(r->anchor);
	free(r);
}

/* Not at once: libunbound may be the caller. */
static void
retire(struct resolver *r)
{
	r->retired = true;
	if (r->open == 0)
		timer_set(&r->reaper, 0);
}

static void
set(struct resolver *r, const char *option, const char *value)
{
	int e = ub_ctx_set_option(r->ctx, option, value);

	if (e != 0)
		fatal("libunbound: %s %s: %s", option, value, ub_strerror(e));
}

/* The lines of the trust anchor, one by one; comments are the file's own. */
static void
trust(struct resolver *r, const char *text)
{
	char line[2048];
	size_t n;
	int e;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n == 0 || n >= sizeof(line) || *text == ';')
			continue;
		memcpy(line, text, n);
		line[n] = '\0';
		line[strcspn(line, ";")] = '\0';
		e = ub_ctx_add_ta(r->ctx, line);
		if (e != 0)
			log_event("dns.bad-anchor", "error=%s line=%s",
			    log_quote(ub_strerror(e)), log_quote(line));
	}
}

static int64_t
ahead_ms(void)
{
	return loop_wall_ms() - loop_now_ms();
}

static struct resolver *
resolver_new(const char *server, const char *anchor)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int e;

	if (r == NULL || (r->ctx = ub_ctx_create_event(loop_base())) == NULL)
		fatal("libunbound: no memory, or made for another libevent");
	timer_init(&r->reaper, reap, r);
	/* Hundreds of destinations at once; the library's own idea is 16. */
	set(r, "outgoing-range:", "256");
	set(r, "num-queries-per-thread:", "1024");
	set(r, "msg-cache-size:", "4m");
	set(r, "rrset-cache-size:", "8m");
	/* What an operator has just published is there when he looks again. */
	set(r, "cache-max-negative-ttl:", "60");
	if (*server != '\0') {
		set(r, "do-not-query-localhost:", "no");
		/* It may know the names of private networks (RFC 6303). */
		set(r, "unblock-lan-zones:", "yes");
		set(r, "insecure-lan-zones:", "yes");
		e = ub_ctx_set_fwd(r->ctx, server);
		if (e != 0)
			fatal("dns server %s: %s", server, ub_strerror(e));
	}
	if (anchor != NULL)
		trust(r, anchor);
	/* The operator's own resolver may know a top-level domain that nobody
	 * else has (RFC 6761 6.2).  Nothing can be set after this. */
	if (*server != '\0')
		ub_ctx_zone_remove(r->ctx, "test.");
	snprintf(r->server, sizeof(r->server), "%s", server);
	r->anchor = anchor != NULL ? strdup(anchor) : NULL;
	r->ahead_ms = ahead_ms();
	return r;
}

/* libunbound's cache grows old by the wall clock: when that was ahead and is
 * set back, what is in there would stay until it is that late again. */
static void
mind_clock(void)
{
	struct resolver *r = current;
	int64_t ahead = ahead_ms();

	if (ahead > r->ahead_ms)
		r->ahead_ms = ahead;
	if (r->ahead_ms - ahead < BACK_MS)
		return;
	current = resolver_new(r->server, r->anchor);
	retire(r);
}

static bool
same(const struct resolver *r, const char *server, const char *anchor)
{
	if (strcmp(r->server, server) != 0)
		return false;
	if (r->anchor == NULL || anchor == NULL)
		return r->anchor == anchor;
	return strcmp(r->anchor, anchor) == 0;
}

void
dns_configure(const char *server, const char *anchor)
{
	if (current != NULL && same(current, server, anchor))
		return; /* and keep its cache */
	if (current != NULL)
		retire(current);
	current = resolver_new(server, anchor);
}

/* libunbound tells NXDOMAIN in the packet and everything that went wrong
 * beside it; then the packet is not to be looked at. */
static enum dns_result
judge_packet(int rcode, const uint8_t *packet, int n, int secure)
{
	enum { BOGUS = 1, NXDOMAIN = 3, HEADER = 12 };

	if (secure == BOGUS)
		return DNS_BOGUS;
	if (rcode == NXDOMAIN)
		return DNS_NO_NAME;
	if (rcode != 0 || packet == NULL || n < HEADER)
		return DNS_FAILED;
	rcode = packet[3] & 0xf;
	if (rcode == NXDOMAIN)
		return DNS_NO_NAME;
	return rcode == 0 ? DNS_FOUND : DNS_FAILED;
}

static void
answer(const struct question *q, enum dns_result result, const uint8_t *packet,
    size_t n, bool secure)
{
	struct answer a;

	if (q->packet_done != NULL) {
		q->packet_done(q->arg, result, packet, n, secure);
		return;
	}
	if (result == DNS_FOUND) {
		if (!answer_parse(&a, (enum rr_type)q->type, packet, n))
			result = DNS_FAILED;
		else if (a.n == 0)
			result = DNS_NOTHING;
	}
	q->done(q->arg, result, &a, secure);
}

/* Types that nobody but an operator asks for are no labels. */
static void
count(unsigned type, enum dns_result result, bool secure)
{
	static const struct {
		unsigned type;
		const char *name;
	} types[] = { { RR_A, "A" }, { RR_AAAA, "AAAA" }, { RR_MX, "MX" },
		{ RR_PTR, "PTR" }, { RR_TXT, "TXT" }, { RR_TLSA, "TLSA" },
		{ RR_CNAME, "CNAME" } };
	size_t i = 0;

	while (i < sizeof(types) / sizeof(*types) && types[i].type != type)
		i++;
	metric_add(METRIC_DNS,
	    i < sizeof(types) / sizeof(*types) ? types[i].name : "other",
	    result == DNS_BOGUS        ? "bogus"
		: result == DNS_FAILED ? "failed"
		: secure               ? "secure"
				       : "insecure",
	    NULL, 1);
}

static void
on_answer(void *arg, int rcode, void *packet, int n, int secure,
    char *why_bogus, int ratelimited)
{
	struct question *q = arg;
	struct resolver *r = q->resolver;

	(void)ratelimited;
	if (why_bogus != NULL)
		log_event("dns.bogus", "why=%s", log_quote(why_bogus));
	count(q->type, judge_packet(rcode, packet, n, secure), secure == 2);
	answer(q, judge_packet(rcode, packet, n, secure), packet,
	    n > 0 ? (size_t)n : 0, secure == 2);
	free(q);
	if (--r->open == 0 && r->retired)
		timer_set(&r->reaper, 0);
}

static void
ask(const char *name, const struct question *what)
{
	struct question *q = malloc(sizeof(*q));
	struct resolver *r;
	int e;

	if (q == NULL)
		abort();
	mind_clock();
	*q = *what;
	q->resolver = r = current;
	r->open++;
	e = ub_resolve_event(r->ctx, name, (int)q->type, 1, q, on_answer, NULL);
	if (e == 0)
		return;
	/* A name that cannot be asked for does not exist. */
	answer(q, e == UB_SYNTAX ? DNS_NO_NAME : DNS_FAILED, NULL, 0, false);
	if (--r->open == 0 && r->retired)
		timer_set(&r->reaper, 0);
	free(q);
}

void
dns_ask(const char *name, enum rr_type type, dns_answer_fn *done, void *arg)
{
	ask(name,
	    &(struct question){
		.type = (unsigned)type, .done = done, .arg = arg });
}

void
dns_ask_packet(const char *name, unsigned type, dns_packet_fn *done, void *arg)
{
	ask(name,
	    &(struct question){
		.type = type, .packet_done = done, .arg = arg });
}
