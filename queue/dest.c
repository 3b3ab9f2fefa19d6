/*
 * dest.c - see dest.h.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "queue/alias.h"
#include "queue/dest_parts.h"
#include "queue/retry.h"
#include "queue/settings.h"
#include "queue/sites.h"

/* A relay of our own takes more at once than a stranger's server. */
#define RELAY_FACTOR 2
#define IDLE_MS      (10 * 60 * 1000)
#define IDLE_MOST    1000
#define WAITING_MOST 50000
#define KEY_SIZE     (300 + 48 + CONF_ROUTE_NAME)

static struct dest *dests; /* by key */
static TAILQ_HEAD(, dest) idle = TAILQ_HEAD_INITIALIZER(idle);
static TAILQ_HEAD(, dest) narrower = TAILQ_HEAD_INITIALIZER(narrower);
static unsigned nwaiting, nidle;
static struct timer ring;

void
dest_reroute(void)
{
	struct dest *d, *next;

	HASH_ITER(hh, dests, d, next)
	{
		alias_drop(d); /* its domains may go elsewhere now */
	}
	alias_drop_torn();
}

/*
 * What tells destinations apart: kind, rate, name.  From another address of
 * ours the same servers may answer otherwise.
 */
static void
write_key(
    const struct conf_route *r, char kind, const char *name, char key[KEY_SIZE])
{
	int n = snprintf(
	    key, KEY_SIZE, "%c %u/%u %s", kind, r->rate_jobs, r->rate_s, name);

	if (r->source4.len != 0 || r->source6.len != 0)
		snprintf(key + n, KEY_SIZE - (size_t)n, " [route %s]", r->name);
}

static struct dest *
find(const char *key)
{
	struct dest *d;

	HASH_FIND_STR(dests, key, d);
	return d;
}

static struct dest *
make(const char *key)
{
	struct dest *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->key = strdup(key)) == NULL)
		abort();
	d->name = strchr(strchr(d->key, ' ') + 1, ' ') + 1;
	d->id = hash64(d->key);
	pace_init(&d->pace);
	TAILQ_INIT(&d->flows);
	TAILQ_INIT(&d->blocked);
	HASH_ADD_KEYPTR(hh, dests, d->key, strlen(d->key), d);
	return d;
}

static struct dest *
use(struct dest *d, const struct conf_route *r, const struct conf_mail *m)
{
	if (d->idle) {
		TAILQ_REMOVE(&idle, d, idle_link);
		d->idle = false;
		nidle--;
	}
	d->bounds.most = settings->per_destination * (r->mx ? 1 : RELAY_FACTOR);
	d->bounds.interval_us =
	    r->rate_jobs > 0 ? r->rate_s * 1000000LL / r->rate_jobs : 0;
	alias_note(d, r, m);
	return d;
}

/* The kind of a destination, and its name in out. */
static char
way_of(const struct conf_route *r, const char *domain, char out[KEY_SIZE])
{
	const char *site = NULL;

	if (!r->mx) {
		snprintf(out, KEY_SIZE, "%s:%u", r->host, r->port);
		return 'r';
	}
	if (*domain != '[')
		site = sites_find(domain, loop_now_ms());
	snprintf(out, KEY_SIZE, "%s", site != NULL ? site : domain);
	return site != NULL ? 's' : 'd';
}

static struct dest *
find_or_make(const struct conf_route *r, char kind, const char *name,
    enum site_state site)
{
	char key[KEY_SIZE];
	struct dest *d;

	write_key(r, kind, name, key);
	if ((d = find(key)) == NULL) {
		d = make(key);
		d->site = site;
	}
	return d;
}

struct dest *
dest_for(const struct conf_mail *m)
{
	const struct conf_route *r = conf_route(settings, m);
	char name[KEY_SIZE], kind = way_of(r, m->domain, name);
	bool unknown = kind == 'd' && *name != '[';

	return use(
	    find_or_make(r, kind, name, unknown ? SITE_UNASKED : SITE_KNOWN), r,
	    m);
}

struct dest *
dest_look(const struct conf_mail *m)
{
	const struct conf_route *r = conf_route(settings, m);
	char name[KEY_SIZE], key[KEY_SIZE], kind = way_of(r, m->domain, name);

	write_key(r, kind, name, key);
	return find(key);
}

struct dest *
dest_alone(const struct conf_mail *m)
{
	const struct conf_route *r = conf_route(settings, m);

	if (!r->mx)
		return dest_for(m);
	sites_forget(m->domain);
	return use(find_or_make(r, 'd', m->domain, SITE_KNOWN), r, m);
}

struct dest *
dest_by_row(const struct due_row *row)
{
	return alias_find(row);
}

static void
wake_up(void *arg)
{
	(void)arg; /* whoever asks for the next flight rings */
}

static void
rearm(void)
{
	int64_t in = alarm_next() - loop_now_ms();

	if (!ring.ready)
		timer_init(&ring, wake_up, NULL);
	if (alarm_next() != 0)
		timer_set(&ring, in > 0 ? in : 0);
}

void
dest_set_alarm(struct dest *d, int64_t at_ms)
{
	int64_t was = alarm_next();

	if (d->alarm.place != 0 && d->alarm.at == at_ms)
		return;
	alarm_set(&d->alarm, at_ms);
	if (alarm_next() != was)
		rearm();
}

/* The pace has changed. */
static void
note_wait(struct dest *d, bool waited)
{
	if (dest_waiting(d) != waited)
		nwaiting += waited ? -1u : 1;
	if (dest_waiting(d))
		dest_set_alarm(d, d->pace.retry_at);
}

bool
dest_can_fly(struct dest *d)
{
	int64_t now = loop_now_ms();

	switch (d->site) {
	case SITE_KNOWN:
		break;
	case SITE_UNASKED:
		dest_line_up(d);
		return false;
	case SITE_IN_LINE:
	case SITE_ASKED:
		return false;
	}
	if (pace_may(&d->pace, &d->bounds, now))
		return true;
	if (!dest_waiting(d) && d->bounds.interval_us > 0 &&
	    pace_free_ms(&d->pace) > now)
		dest_set_alarm(d, pace_free_ms(&d->pace));
	return false;
}

uint32_t
dest_take_off(struct dest *d)
{
	d->demand = false;
	return pace_take_off(&d->pace, &d->bounds, loop_now_ms());
}

static void
drop_narrower(struct dest *d)
{
	if (d->narrower)
		TAILQ_REMOVE(&narrower, d, narrow);
	d->narrower = false;
}

unsigned
dest_width(struct dest *d)
{
	drop_narrower(d);
	d->told = pace_width(&d->pace, &d->bounds);
	return d->told;
}

struct dest *
dest_narrower(void)
{
	return TAILQ_FIRST(&narrower);
}

/* Deliver is to hear of it although nothing may go there for a while. */
static void
note_width(struct dest *d)
{
	if (d->narrower || pace_width(&d->pace, &d->bounds) >= d->told)
		return;
	d->narrower = true;
	TAILQ_INSERT_TAIL(&narrower, d, narrow);
}

void
dest_land(struct dest *d, uint32_t epoch)
{
	pace_land(&d->pace, epoch);
}

bool
dest_hear(struct dest *d, enum landing how, uint32_t epoch)
{
	int64_t now = loop_now_ms();
	bool waited = dest_waiting(d), waits;

	waits = pace_hear(&d->pace, &d->bounds, how, epoch, d->demand, settings,
	    now, retry_chance());
	/* Those beyond go by the retry schedule of each mail. */
	if (waits && nwaiting >= WAITING_MOST) {
		pace_wake(&d->pace);
		waits = false;
	}
	note_wait(d, waited);
	note_width(d);
	if (waits)
		log_event("dest.waiting", "dest=%s failures=%u wait=%d",
		    log_quote(d->name), d->pace.failures,
		    (int)((d->pace.retry_at - now) / 1000));
	return waits;
}

void
dest_contact(struct dest *d)
{
	pace_contact(&d->pace);
}

static struct dest *
dest_of(struct alarm *a)
{
	return (struct dest *)((char *)a - offsetof(struct dest, alarm));
}

void
dest_ring(void (*awake)(struct dest *))
{
	int64_t now = loop_now_ms();
	struct alarm *a;
	struct dest *d;
	bool any = false, waited;

	while ((a = alarm_ring(now)) != NULL) {
		d = dest_of(a);
		any = true;
		dest_end_asking(d);
		waited = dest_waiting(d);
		if (waited && d->pace.retry_at <= now)
			pace_wake(&d->pace);
		note_wait(d, waited);
		awake(d);
	}
	if (any)
		rearm();
}

void
dest_forgive(struct dest *d)
{
	bool waited = dest_waiting(d);

	if (waited) {
		/* Who wants it now does not wait for an answer, either. */
		dest_end_asking(d);
		alarm_clear(&d->alarm);
	}
	pace_forgive(&d->pace);
	note_wait(d, waited);
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
dest_idle(struct dest *d)
{
	if (d->idle || d->pace.flying > 0 || !TAILQ_EMPTY(&d->flows))
		return;
	d->idle = true;
	d->idle_since = loop_now_ms();
	TAILQ_INSERT_TAIL(&idle, d, idle_link);
	nidle++;
}

static void
forget(struct dest *d)
{
	TAILQ_REMOVE(&idle, d, idle_link);
	nidle--;
	dest_end_asking(d);
	drop_narrower(d);
	alarm_clear(&d->alarm);
	alias_drop(d);
	HASH_DEL(dests, d);
	free(d->key);
	free(d);
}

void
dest_sweep(void)
{
	int64_t now = loop_now_ms();
	struct dest *d, *next;

	for (d = TAILQ_FIRST(&idle); d != NULL; d = next) {
		next = TAILQ_NEXT(d, idle_link);
		if (dest_waiting(d) || d->skip.set)
			continue;
		if (now - d->idle_since < IDLE_MS && nidle <= IDLE_MOST)
			break;
		forget(d);
	}
}

unsigned
dest_count_waiting(void)
{
	return nwaiting;
}
