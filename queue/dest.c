/*
 * dest.c - see dest.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "queue/dest.h"
#include "queue/retry.h"
#include "queue/settings.h"

#define START_LIMIT 5
#define PROBE_LIMIT 1
/* A relay of our own takes more at once than a stranger's server. */
#define RELAY_FACTOR 2
#define IDLE_MS      (10 * 60 * 1000)
#define IDLE_MOST    1000
#define WAITING_MOST 50000
#define ALIASES_MOST 1000

/* A domain that leads to a destination, so that the hash in a row of the
 * schedule is enough to know where it goes. */
struct alias {
	uint64_t hash;
	struct dest *dest;
	SLIST_ENTRY(alias) link;
	UT_hash_handle hh;
};

static struct dest *dests; /* by name */
static struct alias *aliases;
static TAILQ_HEAD(, dest) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static TAILQ_HEAD(, dest) idle = TAILQ_HEAD_INITIALIZER(idle);
static unsigned nwaiting, nidle;

static void
drop_aliases(struct dest *d)
{
	struct alias *a;

	while ((a = SLIST_FIRST(&d->aliases)) != NULL) {
		SLIST_REMOVE_HEAD(&d->aliases, link);
		HASH_DEL(aliases, a);
		free(a);
	}
	d->naliases = 0;
}

void
dest_reroute(void)
{
	struct dest *d, *next;

	HASH_ITER(hh, dests, d, next)
	{
		drop_aliases(d); /* its domains may go elsewhere now */
	}
}

/* What the domain's mail is handed to. */
static unsigned
name_dest(const char *domain, char *name, size_t size)
{
	const struct conf_route *r = conf_route(settings, domain);
	unsigned most = settings->per_destination;

	if (r->mx) {
		snprintf(name, size, "%s", domain);
		return most;
	}
	snprintf(name, size, "%s:%u", r->host, r->port);
	return most * RELAY_FACTOR;
}

static void
remember(struct dest *d, const char *domain)
{
	uint64_t hash = hash64(domain);
	struct alias *a;

	HASH_FIND(hh, aliases, &hash, sizeof(hash), a);
	if (a != NULL && a->dest == d)
		return;
	if (a != NULL) {
		SLIST_REMOVE(&a->dest->aliases, a, alias, link);
		a->dest->naliases--;
	} else {
		if (d->naliases >= ALIASES_MOST)
			drop_aliases(d);
		if ((a = malloc(sizeof(*a))) == NULL)
			abort();
		a->hash = hash;
		HASH_ADD(hh, aliases, hash, sizeof(a->hash), a);
	}
	a->dest = d;
	SLIST_INSERT_HEAD(&d->aliases, a, link);
	d->naliases++;
}

struct dest *
dest_for(const char *domain)
{
	char name[300];
	struct dest *d;
	unsigned most = name_dest(domain, name, sizeof(name));

	HASH_FIND_STR(dests, name, d);
	if (d == NULL) {
		if ((d = calloc(1, sizeof(*d))) == NULL ||
		    (d->name = strdup(name)) == NULL)
			abort();
		d->limit = START_LIMIT;
		TAILQ_INIT(&d->flows);
		TAILQ_INIT(&d->blocked);
		HASH_ADD_KEYPTR(hh, dests, d->name, strlen(d->name), d);
	}
	if (d->idle) {
		TAILQ_REMOVE(&idle, d, idle_link);
		d->idle = false;
		nidle--;
	}
	d->most = most;
	if (d->limit > most)
		d->limit = most;
	remember(d, domain);
	return d;
}

struct dest *
dest_by_hash(uint64_t hash)
{
	struct alias *a;

	HASH_FIND(hh, aliases, &hash, sizeof(hash), a);
	return a ? a->dest : NULL;
}

void
dest_take_off(struct dest *d)
{
	assert(dest_can_fly(d));
	d->flying++;
	d->demand = false;
}

static void
leave_alone(struct dest *d, int64_t now_ms)
{
	int64_t wait = retry_wait_ms(settings, d->failures, retry_chance());

	if (dest_waiting(d) || nwaiting >= WAITING_MOST)
		return;
	d->retry_at = now_ms + wait;
	TAILQ_INSERT_TAIL(&waiting, d, waiting_link);
	nwaiting++;
	log_event("dest.waiting", "dest=%s failures=%u wait=%d",
	    log_quote(d->name), d->failures, (int)(wait / 1000));
}

bool
dest_land(struct dest *d, enum landing how, int64_t now_ms)
{
	assert(d->flying > 0);
	d->flying--;
	switch (how) {
	case LANDED_WELL:
		if (d->failures > 0 && d->limit < START_LIMIT)
			d->limit = START_LIMIT;
		else if (d->demand)
			d->limit++;
		if (d->limit > d->most)
			d->limit = d->most;
		/* FALLTHROUGH */
	case LANDED_ANSWERED:
		d->answered = true;
		d->failures = 0;
		return false;
	case LANDED_NOWHERE:
		/* One lost connection among many is no reason to stop. */
		d->limit = d->limit > 1 ? d->limit / 2 : 1;
		if (d->failures++ > 0 || !d->answered)
			leave_alone(d, now_ms);
		return dest_waiting(d);
	case LANDED_UNKNOWN:
		break;
	}
	return false;
}

static void
awaken(struct dest *d, void (*awake)(struct dest *))
{
	TAILQ_REMOVE(&waiting, d, waiting_link);
	nwaiting--;
	d->retry_at = 0;
	d->limit = PROBE_LIMIT;
	awake(d);
}

void
dest_wake(int64_t now_ms, void (*awake)(struct dest *))
{
	struct dest *d, *next;

	for (d = TAILQ_FIRST(&waiting); d != NULL; d = next) {
		next = TAILQ_NEXT(d, waiting_link);
		if (d->retry_at <= now_ms)
			awaken(d, awake);
	}
}

void
dest_wake_all(void (*awake)(struct dest *))
{
	struct dest *d;

	while ((d = TAILQ_FIRST(&waiting)) != NULL) {
		d->failures = 0;
		awaken(d, awake);
	}
}

void
dest_idle(struct dest *d, int64_t now_ms)
{
	if (d->idle || d->flying > 0 || !TAILQ_EMPTY(&d->flows))
		return;
	d->idle = true;
	d->idle_since = now_ms;
	TAILQ_INSERT_TAIL(&idle, d, idle_link);
	nidle++;
}

void
dest_sweep(int64_t now_ms)
{
	struct dest *d, *next;

	for (d = TAILQ_FIRST(&idle); d != NULL; d = next) {
		next = TAILQ_NEXT(d, idle_link);
		if (dest_waiting(d) || d->skip.set)
			continue;
		if (now_ms - d->idle_since < IDLE_MS && nidle <= IDLE_MOST)
			break;
		TAILQ_REMOVE(&idle, d, idle_link);
		nidle--;
		drop_aliases(d);
		HASH_DEL(dests, d);
		free(d->name);
		free(d);
	}
}

unsigned
dest_count_waiting(void)
{
	return nwaiting;
}
