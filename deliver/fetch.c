/*
 * fetch.c - see fetch.h.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/dns.h"
#include "deliver/fetch.h"
#include "ipc/channel.h"
#include "lib/log.h"
#include "mail/domain.h"

#define LATE_MS 90000 /* more than sts takes; DNS may take longer */

struct errand {
	struct msg m;
	uint8_t *body;
	fetch_fn *fn; /* NULL: it was answered */
	void *arg;
	unsigned open; /* DNS questions */
	struct timer late;
	TAILQ_ENTRY(errand) link;
};

static TAILQ_HEAD(, errand) errands = TAILQ_HEAD_INITIALIZER(errands);
static struct channel sts = { .fd = -1 };
static uint64_t tags;

static void
end(struct errand *e, const struct msg_fetched *f)
{
	fetch_fn *fn = e->fn;

	e->fn = NULL;
	timer_clear(&e->late);
	if (fn != NULL)
		fn(e->arg, f);
	if (e->open > 0)
		return; /* the resolver knows it */
	TAILQ_REMOVE(&errands, e, link);
	free(e->body);
	free(e);
}

static void
fail(struct errand *e, const char *why)
{
	struct msg_fetched f = { .verdict = V_TEMP };

	snprintf(f.text, sizeof(f.text), "%s", why);
	end(e, &f);
}

static void
on_late(void *arg)
{
	fail(arg, "no answer in time");
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct errand *e;

	(void)c, (void)fd;
	if (m->type != MSG_FETCHED)
		fatal("sts sent %s", msg_name(m->type));
	TAILQ_FOREACH (e, &errands, link)
		if (e->m.tag == m->tag && e->fn != NULL && e->open == 0) {
			end(e, &m->u.fetched);
			return;
		}
}

static void
on_gone(struct channel *c)
{
	struct errand *e;

	(void)c;
	/* Soon, and from the loop. */
	TAILQ_FOREACH (e, &errands, link)
		if (e->fn != NULL && e->open == 0)
			timer_set(&e->late, 0);
}

void
fetch_peer(int fd)
{
	if (channel_up(&sts)) {
		channel_close(&sts);
		on_gone(&sts);
	}
	channel_open(&sts, fd, P_DELIVER, P_STS, 0, on_message, on_gone, NULL);
}

static void
add_address(struct msg_fetch *f, const struct sockaddr *sa)
{
	size_t n = strlen(f->addresses);
	char ip[NET_TEXT];

	net_text(sa, ip);
	if (n + sizeof(ip) + 4 > sizeof(f->addresses))
		return;
	snprintf(f->addresses + n, sizeof(f->addresses) - n,
	    sa->sa_family == AF_INET6 ? "%s[%s]" : "%s%s", n > 0 ? "," : "",
	    ip);
}

static void
on_address(
    void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct errand *e = arg;

	(void)secure;
	for (unsigned i = 0; result == DNS_FOUND && i < a->n && i < 4; i++)
		add_address(&e->m.u.fetch,
		    (const struct sockaddr *)&a->records[i].address.ss);
	if (--e->open > 0)
		return;
	if (e->fn == NULL)
		fail(e, ""); /* answered before; now it can go */
	else if (e->m.u.fetch.addresses[0] == '\0')
		fail(e, "the web server's name has no address");
	else if (!channel_send(&sts, &e->m, -1))
		fail(e, "postern-sts is away");
}

/* "https://HOST[:PORT][/...]"; no user, no address in place of a name. */
static bool
read_url(struct msg_fetch *f, const char *url)
{
	const char *host, *end;
	char *rest;
	size_t n;

	if (strncmp(url, "https://", 8) != 0 || strlen(url) >= sizeof(f->url))
		return false;
	host = url + 8;
	n = strcspn(host, ":/?#");
	if (n >= sizeof(f->host) || !domain_valid(host, n, 0))
		return false;
	memcpy(f->host, host, n);
	f->port = 443;
	end = host + n;
	if (*end == ':') {
		f->port = (uint32_t)strtoul(end + 1, &rest, 10);
		if (f->port == 0 || f->port > 65535 ||
		    (*rest != '/' && *rest != '\0'))
			return false;
	}
	memcpy(f->url, url, strlen(url));
	return true;
}

void
fetch_url(const char *url, const char *type, struct bytes body, fetch_fn *fn,
    void *arg)
{
	struct msg_fetched bad = { .verdict = V_PERM,
		.text = "not an https URL" };
	struct errand *e = calloc(1, sizeof(*e));
	struct msg_fetch *f;

	if (e == NULL || (e->body = malloc(body.len + 1)) == NULL)
		abort();
	f = &e->m.u.fetch;
	e->m.type = MSG_FETCH;
	e->m.tag = ++tags;
	if (body.len > FETCH_MAX || !read_url(f, url)) {
		free(e->body);
		free(e);
		fn(arg, &bad);
		return;
	}
	if (body.len > 0)
		memcpy(e->body, body.data, body.len);
	f->body = (struct bytes){ e->body, body.len };
	snprintf(f->type, sizeof(f->type), "%s", type);
	e->fn = fn;
	e->arg = arg;
	timer_init(&e->late, on_late, e);
	timer_set(&e->late, LATE_MS);
	TAILQ_INSERT_TAIL(&errands, e, link);
	e->open = 2;
	dns_ask(f->host, RR_AAAA, on_address, e);
	dns_ask(f->host, RR_A, on_address, e);
}
