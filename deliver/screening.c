/*
 * screening.c - see screening.h.
 *
 * A check lives until the resolver has answered all its questions, for these
 * cannot be called back; whom it is for is told as soon as it is decided.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/blocklist.h"
#include "deliver/dns.h"
#include "deliver/screening.h"
#include "ipc/channel.h"
#include "ipc/verdict.h"
#include "lib/log.h"
#include "lib/loop.h"

#define CHECKS  256 /* alive at most */
#define NAMES   5   /* of an address that are looked at */
#define TELL_MS 60000

struct check {
	char ip[NET_TEXT];
	struct net_address address;
	screening_fn *done; /* NULL: told already */
	void *arg;
	size_t nrules; /* in front of one that matches in any case */
	uint8_t facts[SCREEN_RULES];
	unsigned open;  /* questions */
	unsigned names; /* of the address, not yet confirmed or not */
	bool names_failed;
	char found[400];
	struct timer timer;
	LIST_ENTRY(check) link;
};

/* Does this name have the address? */
struct confirmation {
	struct check *check;
	char host[256];
};

/* Who asks for an smtpd. */
struct asker {
	unsigned index;
	uint64_t serial, tag;
};

static const struct conf *conf;
static LIST_HEAD(, check) checks = LIST_HEAD_INITIALIZER(checks);
static unsigned nchecks;
static struct channel smtpds[CONF_WORKERS];
static bool ready;

static void note(struct check *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct check *k, const char *fmt, ...)
{
	size_t n = strlen(k->found);
	va_list ap;

	if (n > 0 && n + 2 < sizeof(k->found)) {
		memcpy(k->found + n, ", ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(k->found + n, sizeof(k->found) - n, fmt, ap);
	va_end(ap);
}

static void
tell(struct check *k, const struct screen_match *m)
{
	struct msg_conn_verdict v;
	screening_fn *done = k->done;

	verdict_set(&v, m);
	memcpy(v.found, k->found, sizeof(v.found));
	k->done = NULL;
	timer_clear(&k->timer);
	done(k->arg, &v);
}

/* As soon as it is clear, or nothing more will come. */
static void
consider(struct check *k)
{
	struct screen_match m;

	if (k->done == NULL)
		return;
	screen_match(conf, (struct sockaddr *)&k->address.ss, k->facts, &m);
	if (!m.waiting || k->open == 0)
		tell(k, &m);
}

/* One question less; the check may be gone afterwards. */
static void
heard(struct check *k)
{
	k->open--;
	consider(k);
	if (k->open > 0)
		return;
	LIST_REMOVE(k, link);
	nchecks--;
	free(k);
}

/* Facts change only while the rules are those that they are about. */
static void
learn(struct check *k, enum screen_kind kind, enum screen_fact fact,
    bool (*about)(const struct screen_rule *, const void *), const void *arg)
{
	for (size_t i = 0; k->done != NULL && i < k->nrules; i++)
		if (conf->rules[i].kind == kind &&
		    k->facts[i] == SCREEN_UNKNOWN &&
		    (about == NULL || about(&conf->rules[i], arg)))
			k->facts[i] = (uint8_t)fact;
}

static bool
is_named(const struct screen_rule *r, const void *host)
{
	return screen_names(r, host);
}

static bool
any_rule_names(const struct check *k, const char *host)
{
	for (size_t i = 0; k->done != NULL && i < k->nrules; i++)
		if (conf->rules[i].kind == SCREEN_NAME &&
		    screen_names(&conf->rules[i], host))
			return true;
	return false;
}

/* No more names come: the rules that none was for do not match. */
static void
end_names(struct check *k)
{
	if (k->names == 0 && !k->names_failed)
		learn(k, SCREEN_NAME, SCREEN_NO, NULL, NULL);
}

static bool
has(const struct answer *a, const struct net_address *address)
{
	for (unsigned i = 0; i < a->n; i++)
		if (net_equal(
			(const struct sockaddr *)&a->records[i].address.ss,
			(const struct sockaddr *)&address->ss))
			return true;
	return false;
}

static void
on_confirmed(void *arg, enum dns_result r, const struct answer *a, bool secure)
{
	struct confirmation *c = arg;
	struct check *k = c->check;

	(void)secure;
	k->names--;
	if (r == DNS_FOUND && has(a, &k->address)) {
		note(k, "%.100s confirmed", c->host);
		learn(k, SCREEN_NAME, SCREEN_YES, is_named, c->host);
	} else {
		note(k, "%.100s not confirmed", c->host);
		k->names_failed |= r == DNS_BOGUS || r == DNS_FAILED;
	}
	end_names(k);
	free(c);
	heard(k);
}

static void
confirm(struct check *k, const char *host)
{
	struct confirmation *c = calloc(1, sizeof(*c));
	bool v4 = k->address.ss.ss_family == AF_INET;

	if (c == NULL)
		abort();
	c->check = k;
	snprintf(c->host, sizeof(c->host), "%s", host);
	k->open++;
	k->names++;
	dns_ask(c->host, v4 ? RR_A : RR_AAAA, on_confirmed, c);
}

static void
on_names(void *arg, enum dns_result r, const struct answer *a, bool secure)
{
	struct check *k = arg;

	(void)secure;
	k->names_failed = r == DNS_BOGUS || r == DNS_FAILED;
	for (unsigned i = 0; r == DNS_FOUND && i < a->n && i < NAMES; i++)
		if (any_rule_names(k, a->records[i].host))
			confirm(k, a->records[i].host);
		else
			note(k, "named %.100s", a->records[i].host);
	end_names(k);
	heard(k);
}

struct listing {
	const char *zone;
	const uint32_t *codes;
	unsigned n;
};

static bool
is_listed(const struct screen_rule *r, const void *arg)
{
	const struct listing *l = arg;

	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(r->name, l->zone) == 0 &&
		    screen_counts(r, l->codes[i]))
			return true;
	return false;
}

static bool
is_of_list(const struct screen_rule *r, const void *arg)
{
	return strcmp(r->name, ((const struct listing *)arg)->zone) == 0;
}

static void
on_list(void *arg, const char *zone, enum listing_state state,
    const uint32_t *codes, unsigned n)
{
	struct check *k = arg;
	struct listing l = { zone, codes, n };

	for (unsigned i = 0; i < n; i++)
		note(k, "%.100s says %u.%u.%u.%u", zone, codes[i] >> 24,
		    codes[i] >> 16 & 255, codes[i] >> 8 & 255, codes[i] & 255);
	if (state == LISTING_UNKNOWN)
		note(k, "%.100s does not answer", zone);
	else
		learn(k, SCREEN_LIST, SCREEN_YES, is_listed, &l);
	if (state == LISTING_IGNORED)
		note(k, "%.100s is out of order", zone);
	if (state != LISTING_UNKNOWN)
		learn(k, SCREEN_LIST, SCREEN_NO, is_of_list, &l);
	heard(k);
}

/* It is time to answer with what there is. */
static void
on_late(void *arg)
{
	struct check *k = arg;
	struct screen_match m;
	int line = 0;

	for (size_t i = 0; i < k->nrules; i++) {
		const struct screen_rule *r = &conf->rules[i];

		if (k->facts[i] != SCREEN_UNKNOWN ||
		    (r->kind != SCREEN_NAME && r->kind != SCREEN_LIST))
			continue;
		if (line == 0)
			line = r->line;
		if (r->kind == SCREEN_LIST)
			blocklist_is_late(r->name, k->ip);
	}
	log_event(
	    "screen.late", "ip=%s line=%d ms=%d", k->ip, line, SCREENING_MS);
	screen_match(conf, (struct sockaddr *)&k->address.ss, k->facts, &m);
	tell(k, &m);
}

static bool
asked_before(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (conf->rules[i].kind == SCREEN_LIST &&
		    strcmp(conf->rules[i].name, conf->rules[n].name) == 0)
			return true;
	return false;
}

/* Ask for all that the rules need; one is held open meanwhile. */
static void
look_up(struct check *k)
{
	char name[256];
	bool wants_name = false;

	k->open = 1;
	for (size_t i = 0; i < k->nrules; i++) {
		wants_name |= conf->rules[i].kind == SCREEN_NAME;
		if (conf->rules[i].kind != SCREEN_LIST || asked_before(i))
			continue;
		k->open++;
		blocklist_ask(conf->rules[i].name, k->ip, on_list, k);
	}
	if (wants_name && screen_question(k->ip, NULL, name, sizeof(name))) {
		k->open++;
		dns_ask(name, RR_PTR, on_names, k);
	}
	heard(k);
}

static bool
too_many(const char *ip)
{
	static int64_t told_ms;

	if (nchecks < CHECKS)
		return false;
	if (told_ms == 0 || told_ms < loop_now_ms() - TELL_MS) {
		told_ms = loop_now_ms();
		log_event("screen.busy", "ip=%s checks=%u", ip, nchecks);
	}
	return true;
}

void
screening_ask(const char *ip, screening_fn *done, void *arg)
{
	struct net_address address;
	struct screen_match m;
	struct msg_conn_verdict v;
	struct check *k;

	if (!net_parse(&address, ip, strlen(ip), 1))
		memset(&address, 0, sizeof(address));
	screen_match(conf, (struct sockaddr *)&address.ss, NULL, &m);
	if (!m.waiting || too_many(ip)) {
		verdict_set(&v, &m);
		done(arg, &v);
		return;
	}
	if ((k = calloc(1, sizeof(*k))) == NULL)
		abort();
	snprintf(k->ip, sizeof(k->ip), "%s", ip);
	k->address = address;
	k->done = done;
	k->arg = arg;
	k->nrules = m.index;
	timer_init(&k->timer, on_late, k);
	timer_set(&k->timer, SCREENING_MS);
	LIST_INSERT_HEAD(&checks, k, link);
	nchecks++;
	look_up(k);
}

void
screening_configure(const struct conf *c)
{
	struct screen_match m;
	struct check *k;

	LIST_FOREACH(k, &checks, link)
	{
		if (k->done == NULL)
			continue;
		screen_match(
		    conf, (struct sockaddr *)&k->address.ss, k->facts, &m);
		tell(k, &m);
	}
	conf = c;
}

static void
on_verdict(void *arg, const struct msg_conn_verdict *v)
{
	struct asker *a = arg;
	struct channel *c = &smtpds[a->index];
	struct msg m = { .type = MSG_CONN_VERDICT, .tag = a->tag };

	m.u.conn_verdict = *v;
	if (channel_up(c) && c->serial == a->serial)
		channel_send(c, &m, -1);
	free(a);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	static const struct screen_match nothing = { .unsure = true };
	struct asker *a;
	struct msg_conn_verdict v;

	(void)fd;
	if (m->type != MSG_CONN_CHECK)
		fatal("smtpd sent %s", msg_name(m->type));
	if ((a = malloc(sizeof(*a))) == NULL)
		abort();
	*a = (struct asker){ c->index, c->serial, m->tag };
	if (conf != NULL) {
		screening_ask(m->u.conn_check.ip, on_verdict, a);
		return;
	}
	verdict_set(&v, &nothing); /* not started yet */
	on_verdict(a, &v);
}

static void
on_gone(struct channel *c)
{
	(void)c;
}

void
screening_peer(unsigned index, int fd)
{
	if (!ready)
		for (unsigned i = 0; i < CONF_WORKERS; i++)
			smtpds[i].fd = -1;
	ready = true;
	if (index >= CONF_WORKERS)
		fatal("more than %d smtpds", CONF_WORKERS);
	channel_close(&smtpds[index]);
	channel_open(&smtpds[index], fd, P_DELIVER, P_SMTPD, index, on_message,
	    on_gone, NULL);
}
