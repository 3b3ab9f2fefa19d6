/*
 * blocklist.c - see blocklist.h.
 *
 * Whoever asks a list that was not tested lately asks for the two test entries
 * besides; the resolver makes one question of the same ones.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/blocklist.h"
#include "deliver/dns.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/screen.h"

#define FIT_MS    (60 * 60 * 1000)
#define ILL_MS    (10 * 60 * 1000)
#define SILENT_MS (30 * 1000)
#define TELL_MS   (60 * 1000)

struct list {
	char zone[256];
	bool v6;
	int64_t fit_until, ill_until, silent_until; /* 0 not */
	int64_t told_ms; /* an error that it answered, last */
	SLIST_ENTRY(list) link;
};

/* The question of somebody, and the tests with it. */
struct enquiry {
	struct list *list;
	blocklist_fn *done;
	void *arg;
	unsigned open;
	bool has_one, has_two, failed, testing;
	uint32_t codes[ANSWER_MAX];
	unsigned ncodes;
};

/* As many as the configurations of this process ever named. */
static SLIST_HEAD(, list) lists = SLIST_HEAD_INITIALIZER(lists);

static struct list *
find(const char *zone, const char *ip)
{
	bool v6 = strchr(ip, ':') != NULL;
	struct list *l;

	SLIST_FOREACH (l, &lists, link)
		if (l->v6 == v6 && strcmp(l->zone, zone) == 0)
			return l;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		abort();
	strncpy(l->zone, zone, sizeof(l->zone) - 1);
	l->v6 = v6;
	SLIST_INSERT_HEAD(&lists, l, link);
	return l;
}

static void
leave_alone(struct list *l, const char *why)
{
	if (l->ill_until > loop_now_ms())
		return;
	l->ill_until = loop_now_ms() + ILL_MS;
	l->fit_until = 0;
	log_event("screen.list-ill", "list=%s family=%s reason=%s", l->zone,
	    l->v6 ? "IPv6" : "IPv4", log_quote(why));
}

/* RFC 5782 5: what the tests say of the list. */
static bool
is_fit(struct enquiry *e)
{
	struct list *l = e->list;

	if (!e->testing)
		return l->ill_until <= loop_now_ms();
	if (e->has_one)
		leave_alone(l, "it lists 127.0.0.1, so it lists everybody");
	else if (!e->has_two)
		leave_alone(
		    l, "it does not list 127.0.0.2, so it lists nobody");
	else
		l->fit_until = loop_now_ms() + FIT_MS;
	return !e->has_one && e->has_two;
}

/* An answer that is no listing. */
static void
note_error(struct list *l, uint32_t code)
{
	if (code >> 24 != 127) {
		leave_alone(l, "it answers with addresses outside 127.0.0.0/8");
		return;
	}
	if (code >> 8 != 0x7fffff ||
	    (l->told_ms != 0 && l->told_ms > loop_now_ms() - TELL_MS))
		return;
	l->told_ms = loop_now_ms();
	log_event("screen.list-error", "list=%s code=127.255.255.%u reason=%s",
	    l->zone, (unsigned)(code & 0xff),
	    log_quote("the list does not answer this resolver"));
}

static void
end(struct enquiry *e)
{
	enum listing_state state = LISTING_UNKNOWN;

	if (!e->failed) {
		if (is_fit(e))
			for (unsigned i = 0; i < e->ncodes; i++)
				note_error(e->list, e->codes[i]);
		state = e->list->ill_until > loop_now_ms() ? LISTING_IGNORED
							   : LISTING_KNOWN;
	}
	e->done(e->arg, e->list->zone, state, e->codes,
	    state == LISTING_KNOWN ? e->ncodes : 0);
	free(e);
}

static void
hear(struct enquiry *e, enum dns_result r)
{
	if (r == DNS_BOGUS || r == DNS_FAILED)
		e->failed = true;
	if (--e->open == 0)
		end(e);
}

static void
on_one(void *arg, enum dns_result r, const struct answer *a, bool secure)
{
	struct enquiry *e = arg;

	(void)a, (void)secure;
	e->has_one = r == DNS_FOUND;
	hear(e, r);
}

static void
on_two(void *arg, enum dns_result r, const struct answer *a, bool secure)
{
	struct enquiry *e = arg;

	(void)a, (void)secure;
	e->has_two = r == DNS_FOUND;
	hear(e, r);
}

static void
on_answer(void *arg, enum dns_result r, const struct answer *a, bool secure)
{
	struct enquiry *e = arg;
	const struct sockaddr_in *in;

	(void)secure;
	for (unsigned i = 0; r == DNS_FOUND && i < a->n; i++) {
		in = (const struct sockaddr_in *)&a->records[i].address.ss;
		e->codes[e->ncodes++] = ntohl(in->sin_addr.s_addr);
	}
	hear(e, r);
}

static void
ask(struct enquiry *e, const char *ip, dns_answer_fn *on)
{
	char name[256];

	if (screen_question(ip, e->list->zone, name, sizeof(name)))
		dns_ask(name, RR_A, on, e);
	else
		on(e, DNS_FAILED, NULL, false);
}

void
blocklist_ask(const char *zone, const char *ip, blocklist_fn *done, void *arg)
{
	struct list *l = find(zone, ip);
	struct enquiry *e;

	if (l->ill_until > loop_now_ms() || l->silent_until > loop_now_ms()) {
		done(arg, zone,
		    l->ill_until > loop_now_ms() ? LISTING_IGNORED
						 : LISTING_UNKNOWN,
		    NULL, 0);
		return;
	}
	if ((e = calloc(1, sizeof(*e))) == NULL)
		abort();
	e->list = l;
	e->done = done;
	e->arg = arg;
	e->testing = l->fit_until <= loop_now_ms();
	e->open = e->testing ? 3 : 1;
	if (e->testing) {
		ask(e, l->v6 ? "::ffff:7f00:1" : "127.0.0.1", on_one);
		ask(e, l->v6 ? "::ffff:7f00:2" : "127.0.0.2", on_two);
	}
	ask(e, ip, on_answer);
}

void
blocklist_is_late(const char *zone, const char *ip)
{
	find(zone, ip)->silent_until = loop_now_ms() + SILENT_MS;
}
