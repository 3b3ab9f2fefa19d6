/*
 * results.c - see results.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "deliver/dns.h"
#include "deliver/known.h"
#include "deliver/results.h"
#include "lib/hex.h"
#include "lib/loop.h"

#define FLUSH_MS 10000
#define MANY     100  /* of them at once; then it is time to tell */
#define ASKING   1000 /* whose domains are being asked about */

struct result {
	struct msg m; /* MSG_TLS_SESSIONS */
	TAILQ_ENTRY(result) link;
};

static TAILQ_HEAD(, result) results = TAILQ_HEAD_INITIALIZER(results);
static unsigned count, asking;
static struct channel *queue;
static struct timer timer;
static bool on;

void
results_configure(bool yes)
{
	on = yes;
}

static void
forget(struct result *r)
{
	free(r);
	asking--;
}

/* RFC 8460 3: exactly one record that is one. */
static bool
read_records(const struct answer *a, char rua[TLSRPT_RUA_SIZE])
{
	char text[2048];
	unsigned found = 0;
	bool fine = false;

	for (unsigned i = 0; i < a->n; i++)
		if (answer_text(&a->records[i], text, sizeof(text)) &&
		    strncmp(text, "v=TLSRPTv1;", 11) == 0) {
			found++;
			fine = tlsrpt_read_record(text, rua);
		}
	return found == 1 && fine;
}

static void
on_txt(void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct result *r = arg;

	(void)secure;
	if (result == DNS_FOUND && read_records(a, r->m.u.tls_sessions.rua))
		channel_send(queue, &r->m, -1);
	forget(r);
}

/* Tell what is noted, as far as the domains want it. */
static void
flush(void)
{
	struct result *r;
	char name[300];

	timer_clear(&timer);
	while ((r = TAILQ_FIRST(&results)) != NULL) {
		TAILQ_REMOVE(&results, r, link);
		count--;
		asking++;
		if (asking > ASKING) {
			forget(r);
			continue;
		}
		snprintf(name, sizeof(name), "_smtp._tls.%s",
		    r->m.u.tls_sessions.domain);
		dns_ask(name, RR_TXT, on_txt, r);
	}
}

static void
on_timer(void *arg)
{
	(void)arg;
	flush();
}

void
results_start(struct channel *c)
{
	queue = c;
	timer_init(&timer, on_timer, NULL);
}

static bool
same(const struct msg_tls_sessions *a, const struct msg_tls_sessions *b)
{
	return a->result == b->result && a->policy == b->policy &&
	    strcmp(a->domain, b->domain) == 0 && strcmp(a->mx, b->mx) == 0 &&
	    strcmp(a->mx_ip, b->mx_ip) == 0 && strcmp(a->ip, b->ip) == 0 &&
	    strcmp(a->reason, b->reason) == 0 &&
	    strcmp(a->lines, b->lines) == 0;
}

static void
add(const struct msg_tls_sessions *s)
{
	struct result *r;

	TAILQ_FOREACH (r, &results, link)
		if (same(&r->m.u.tls_sessions, s)) {
			r->m.u.tls_sessions.sessions++;
			return;
		}
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->m.type = MSG_TLS_SESSIONS;
	r->m.u.tls_sessions = *s;
	TAILQ_INSERT_TAIL(&results, r, link);
	if (++count >= MANY)
		flush();
	else if (!timer_pending(&timer))
		timer_set(&timer, FLUSH_MS);
}

/* The records as in a zone, one a line; the last ones may not fit. */
static void
write_tlsa(const struct dane *d, char *out, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; d != NULL && i < d->n; i++) {
		const struct tlsa *t = &d->records[i];

		if (n + 2 * t->len + 16 > size)
			return;
		n += (size_t)snprintf(out + n, size - n, "%s%u %u %u ",
		    n > 0 ? "\n" : "", t->usage, t->selector, t->matching);
		hex_write(t->data, t->len, out + n);
		n += 2 * t->len;
	}
}

static void
write_sts(const struct msg_domain *d, char *out, size_t size)
{
	const char *mx = d->sts_mx;
	size_t n, k;

	n = (size_t)snprintf(out, size, "version: STSv1\nmode: %s\n",
	    sts_mode_name((enum sts_mode)d->sts_mode));
	for (; *mx != '\0'; mx += k + (mx[k] == ' ')) {
		k = strcspn(mx, " ");
		if (n + k + 40 < size) /* with room for the age */
			n += (size_t)snprintf(
			    out + n, size - n, "mx: %.*s\n", (int)k, mx);
	}
	snprintf(out + n, size - n, "max_age: %llu",
	    (unsigned long long)(d->sts_expires - d->sts_fetched));
}

/* What the domain asked for; false when that was not what counted. */
static bool
apply(struct msg_tls_sessions *s, const struct target *t,
    const struct policy *p, const struct msg_domain *d)
{
	switch (p->by) {
	case BY_DANE:
		s->policy = TLSRPT_TLSA;
		write_tlsa(t->tlsa, s->lines, sizeof(s->lines));
		return true;
	case BY_STS:
		s->policy = TLSRPT_STS;
		break;
	case BY_OPPORTUNITY:
		s->policy = p->watch ? TLSRPT_STS : TLSRPT_NO_POLICY;
		break;
	case BY_ROUTE:
	case BY_REQUIRETLS:
	case BY_NOBODY:
		return false;
	}
	if (s->policy == TLSRPT_STS && d != NULL)
		write_sts(d, s->lines, sizeof(s->lines));
	return true;
}

static void
write_ours(int fd, char out[46])
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (fd != -1 && getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		net_text((const struct sockaddr *)&ss, out);
}

void
results_session(const char *domain, const struct target *t,
    const struct policy *p, enum demand demand, int fd,
    enum tlsrpt_result result, const char *why)
{
	static struct msg_tls_sessions s;
	const struct msg_domain *d;

	if (!on || *domain == '\0' || *domain == '[' ||
	    demand == DEMAND_DELIVERY)
		return;
	memset(&s, 0, sizeof(s));
	d = known_look(domain);
	if (!apply(&s, t, p, d))
		return;
	if (result == TLSRPT_SUCCESS && p->by == BY_DANE && t->tlsa == NULL) {
		result = TLSRPT_TLSA_INVALID;
		why = "no TLSA record can be used";
	} else if (result == TLSRPT_SUCCESS && p->watch && d != NULL &&
	    !sts_lists(d->sts_mx, t->host)) {
		result = TLSRPT_VALIDATION;
		why = "the policy does not list this server";
	}
	s.result = result;
	s.sessions = 1;
	snprintf(s.domain, sizeof(s.domain), "%s", domain);
	if (result != TLSRPT_SUCCESS) {
		write_ours(fd, s.ip);
		snprintf(s.mx, sizeof(s.mx), "%s", t->host);
		net_text((const struct sockaddr *)&t->address.ss, s.mx_ip);
		snprintf(s.reason, sizeof(s.reason), "%s", why);
	}
	add(&s);
}

void
results_sts(const char *domain, enum tlsrpt_result result, const char *why)
{
	static struct msg_tls_sessions s;

	if (!on)
		return;
	memset(&s, 0, sizeof(s));
	s.policy = TLSRPT_STS;
	s.result = result;
	s.sessions = 1;
	snprintf(s.domain, sizeof(s.domain), "%s", domain);
	snprintf(s.reason, sizeof(s.reason), "%.159s", why);
	add(&s);
}
