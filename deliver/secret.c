/*
 * secret.c - see secret.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/keeper.h"
#include "deliver/secret.h"
#include "lib/loop.h"

struct asker {
	uint64_t ticket;
	bool refused; /* nobody was there to ask */
	secret_fn *fn;
	void *arg;
	TAILQ_ENTRY(asker) link;
};

static TAILQ_HEAD(, asker) askers = TAILQ_HEAD_INITIALIZER(askers);
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

void
secret_answered(const struct msg *m)
{
	struct asker *a = find(m->tag);
	char secret[sizeof(m->u.route_secret_is.secret)];

	if (a == NULL)
		return; /* its connection is gone */
	memcpy(secret, m->u.route_secret_is.secret, sizeof(secret));
	answer(a, m->u.route_secret_is.verdict == V_OK ? secret : NULL);
	explicit_bzero(secret, sizeof(secret));
}

void
secret_bereaved(void)
{
	struct asker *a;

	TAILQ_FOREACH (a, &askers, link)
		refuse(a);
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
	if (!keeper_send(&m))
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
