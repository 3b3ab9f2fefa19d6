/*
 * secret.c - see secret.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/secret.h"
#include "ipc/channel.h"
#include "lib/log.h"

struct asker {
	uint64_t ticket;
	bool refused; /* nobody was there to ask */
	secret_fn *fn;
	void *arg;
	TAILQ_ENTRY(asker) link;
};

static TAILQ_HEAD(, asker) askers = TAILQ_HEAD_INITIALIZER(askers);
static struct channel auth = { .fd = -1 };
static struct timer refusing;
static uint64_t tickets;

static void
answer(struct asker *a, const char *secret)
{
	TAILQ_REMOVE(&askers, a, link);
	a->fn(a->arg, secret);
	free(a);
}

static struct asker *
find(uint64_t ticket)
{
	struct asker *a;

	TAILQ_FOREACH (a, &askers, link)
		if (a->ticket == ticket)
			return a;
	return NULL;
}

static void
refuse_marked(void *arg)
{
	struct asker *a;

	(void)arg;
	do
		TAILQ_FOREACH (a, &askers, link)
			if (a->refused) {
				answer(a, NULL);
				break; /* the list may have changed */
			}
	while (a != NULL);
}

static void
refuse(struct asker *a)
{
	a->refused = true;
	if (!refusing.ready)
		timer_init(&refusing, refuse_marked, NULL);
	timer_set(&refusing, 0);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct asker *a;
	char secret[sizeof(m->u.route_secret_is.secret)];

	(void)c, (void)fd;
	if (m->type != MSG_ROUTE_SECRET_IS)
		fatal("auth sent %s", msg_name(m->type));
	a = find(m->tag);
	if (a == NULL)
		return; /* its connection is gone */
	memcpy(secret, m->u.route_secret_is.secret, sizeof(secret));
	answer(a, m->u.route_secret_is.verdict == V_OK ? secret : NULL);
	explicit_bzero(secret, sizeof(secret));
}

static void
on_gone(struct channel *c)
{
	struct asker *a;

	(void)c;
	TAILQ_FOREACH (a, &askers, link)
		refuse(a);
}

void
secret_peer(int fd)
{
	if (channel_up(&auth)) {
		channel_close(&auth);
		on_gone(&auth);
	}
	channel_open(
	    &auth, fd, P_DELIVER, P_AUTH, 0, on_message, on_gone, NULL);
}

uint64_t
secret_ask(const char *route, secret_fn *fn, void *arg)
{
	struct asker *a = malloc(sizeof(*a));
	struct msg m = { .type = MSG_ROUTE_SECRET, .tag = ++tickets };

	if (a == NULL)
		abort();
	*a = (struct asker){ .ticket = m.tag, .fn = fn, .arg = arg };
	TAILQ_INSERT_TAIL(&askers, a, link);
	snprintf(m.u.route_secret.route, sizeof(m.u.route_secret.route), "%s",
	    route);
	if (!channel_send(&auth, &m, -1))
		refuse(a);
	return m.tag;
}

void
secret_forget(uint64_t ticket)
{
	struct asker *a = find(ticket);

	if (a == NULL)
		return;
	TAILQ_REMOVE(&askers, a, link);
	free(a);
}
