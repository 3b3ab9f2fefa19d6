/*
 * known.c - see known.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <uthash.h>

#include "deliver/known.h"
#include "lib/log.h"

#define KNOWN_MAX 4096
#define LOOKS     8
#define DAY_S     86400

struct waiter {
	known_fn *fn;
	void *arg;
	TAILQ_ENTRY(waiter) link;
};

struct known {
	struct msg_domain row;
	bool here;
	uint64_t told[ABILITIES]; /* when a downgrade was */
	TAILQ_HEAD(, waiter) waiters;
	UT_hash_handle hh;
};

static struct channel *queue;
static struct known *all; /* the oldest first */

static uint64_t
now_s(void)
{
	return (uint64_t)loop_wall_ms() / 1000;
}

void
known_start(struct channel *c)
{
	queue = c;
}

static struct known *
find(const char *domain)
{
	struct known *k;

	HASH_FIND_STR(all, domain, k);
	return k;
}

static void
ask(const struct known *k)
{
	struct msg m = { .type = MSG_DOMAIN_GET };

	memcpy(m.u.domain_get.domain, k->row.domain, sizeof(k->row.domain));
	channel_send(queue, &m, -1);
}

/* The oldest that nobody waits for makes place; others go to the end, so that
 * nobody looks at many in vain. */
static void
make_room(void)
{
	struct known *k;

	for (int i = 0; i < LOOKS && HASH_COUNT(all) >= KNOWN_MAX; i++) {
		k = all;
		HASH_DEL(all, k);
		if (TAILQ_EMPTY(&k->waiters))
			free(k);
		else
			HASH_ADD_STR(all, row.domain, k);
	}
}

static struct known *
add(const char *domain)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	make_room();
	snprintf(k->row.domain, sizeof(k->row.domain), "%s", domain);
	TAILQ_INIT(&k->waiters);
	HASH_ADD_STR(all, row.domain, k);
	return k;
}

void
known_queue_is_back(void)
{
	struct known *k, *next;

	HASH_ITER(hh, all, k, next)
	if (!k->here)
		ask(k);
}

void
known_message(const struct msg *m)
{
	struct known *k = find(m->u.domain.domain);
	struct waiter *w;

	if (k == NULL || k->here)
		return;
	k->row = m->u.domain;
	k->here = true;
	while ((w = TAILQ_FIRST(&k->waiters)) != NULL) {
		TAILQ_REMOVE(&k->waiters, w, link);
		w->fn(w->arg, &k->row);
		free(w);
	}
}

void
known_ask(const char *domain, known_fn *fn, void *arg)
{
	struct known *k = find(domain);
	struct waiter *w;

	if (k != NULL && k->here) {
		fn(arg, &k->row);
		return;
	}
	if (k == NULL)
		ask(k = add(domain));
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	*w = (struct waiter){ .fn = fn, .arg = arg };
	TAILQ_INSERT_TAIL(&k->waiters, w, link);
}

struct msg_domain *
known_look(const char *domain)
{
	struct known *k = find(domain);

	return k != NULL && k->here ? &k->row : NULL;
}

void
known_keep(const struct msg_domain *d)
{
	struct msg m = { .type = MSG_DOMAIN_PUT };

	m.u.domain = *d;
	channel_send(queue, &m, -1);
}

/* In the last day; what is of the future a clock that was ahead has left. */
static bool
is_of_today(uint64_t when, uint64_t now)
{
	return when <= now + DAY_S && when + DAY_S > now;
}

void
known_note(const char *domain, const char *mx, bool tls, const char *policy)
{
	static const char *const names[ABILITIES] = { "starttls", "dane",
		"sts" };
	struct known *k = find(domain);
	bool able[ABILITIES] = { tls, strcmp(policy, "dane") == 0,
		strcmp(policy, "sts") == 0 };
	uint64_t *seen[ABILITIES], now = now_s();
	bool news = false;

	if (k == NULL || !k->here)
		return;
	seen[ABLE_TLS] = &k->row.seen_tls;
	seen[ABLE_DANE] = &k->row.seen_dane;
	seen[ABLE_STS] = &k->row.seen_sts;
	for (int i = 0; i < ABILITIES; i++) {
		if (able[i] && !is_of_today(*seen[i], now)) {
			*seen[i] = now;
			news = true;
		}
		/* DANE in place of MTA-STS is no step down. */
		if (able[i] || *seen[i] == 0 || is_of_today(k->told[i], now) ||
		    (i == ABLE_STS && able[ABLE_DANE]))
			continue;
		k->told[i] = now;
		log_event("tls.downgrade",
		    "had=%s seen=%llu now=%s mx=%s domain=%s", names[i],
		    (unsigned long long)*seen[i], tls ? policy : "clear", mx,
		    log_quote(domain));
	}
	if (news)
		known_keep(&k->row);
}
