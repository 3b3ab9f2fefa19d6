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
#define NAME_SIZE    (300 + 16 + CONF_ROUTE_NAME)

/* A domain that leads to a destination, so that the hashes in a row of the
 * schedule are enough to know where it goes. */
struct alias {
	uint64_t hash;
	struct dest *dest; /* NULL: not always to the same */
	SLIST_ENTRY(alias) link;
	UT_hash_handle hh;
};

static struct dest *dests; /* by name */
static struct alias *aliases;
static TAILQ_HEAD(, dest) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static TAILQ_HEAD(, dest) idle = TAILQ_HEAD_INITIALIZER(idle);
static SLIST_HEAD(, alias) torn = SLIST_HEAD_INITIALIZER(torn);
static unsigned nwaiting, nidle, ntorn;

static void
drop_torn(void)
{
	struct alias *a;

	while ((a = SLIST_FIRST(&torn)) != NULL) {
		SLIST_REMOVE_HEAD(&torn, link);
		HASH_DEL(aliases, a);
		free(a);
	}
	ntorn = 0;
}

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
	drop_torn();
}

/* What a mail is handed to: from another address of ours the same servers may
 * answer otherwise. */
static unsigned
name_dest(const struct conf_mail *m, char name[NAME_SIZE])
{
	const struct conf_route *r = conf_route(settings, m);
	unsigned most = settings->per_destination;
	int n;

	if (r->mx)
		n = snprintf(name, NAME_SIZE, "%s", m->domain);
	else
		n = snprintf(name, NAME_SIZE, "%s:%u", r->host, r->port);
	if (r->source4.len != 0 || r->source6.len != 0)
		snprintf(
		    name + n, NAME_SIZE - (size_t)n, " [route %s]", r->name);
	return r->mx ? most : most * RELAY_FACTOR;
}

/* By what a row is known: where it goes may depend on whose it is. */
static uint64_t
alias_hash(uint64_t account, uint64_t domain)
{
	return conf_route_by_sender(settings)
	    ? domain ^ (account * 0x9e3779b97f4a7c15)
	    : domain;
}

/* One account, one domain, and two ways, by different senders: the row alone
 * does not tell. */
static void
tear(struct alias *a)
{
	if (a->dest == NULL)
		return;
	SLIST_REMOVE(&a->dest->aliases, a, alias, link);
	a->dest->naliases--;
	if (ntorn >= ALIASES_MOST)
		drop_torn();
	a->dest = NULL;
	SLIST_INSERT_HEAD(&torn, a, link);
	ntorn++;
}

static void
remember(struct dest *d, const struct conf_mail *m)
{
	uint64_t hash = alias_hash(hash64(m->account), hash64(m->domain));
	struct alias *a;

	HASH_FIND(hh, aliases, &hash, sizeof(hash), a);
	if (a != NULL && a->dest == d)
		return;
	if (a != NULL) {
		tear(a);
		return;
	}
	if (d->naliases >= ALIASES_MOST)
		drop_aliases(d);
	if ((a = malloc(sizeof(*a))) == NULL)
		abort();
	a->hash = hash;
	HASH_ADD(hh, aliases, hash, sizeof(a->hash), a);
	a->dest = d;
	SLIST_INSERT_HEAD(&d->aliases, a, link);
	d->naliases++;
}

struct dest *
dest_for(const struct conf_mail *m)
{
	char name[NAME_SIZE];
	struct dest *d;
	unsigned most = name_dest(m, name);

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
	remember(d, m);
	return d;
}

struct dest *
dest_by_row(const struct due_row *row)
{
	uint64_t hash = alias_hash(row->account, row->domain);
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
dest_each(void (*cb)(struct dest *))
{
	struct dest *d, *next;

	HASH_ITER(hh, dests, d, next)
	{
		cb(d);
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
