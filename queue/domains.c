/*
 * domains.c - see domains.h.
 *
 * Whoever may send can name domains without end, each with a policy of 4 KiB,
 * so what is known is kept for half a year, and for less where it would take
 * more than BYTES_MOST.  Long policies and the rest are counted apart: a few
 * thousand of the former fill it, but some 400,000 of the latter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "mail/sts.h"
#include "queue/clock.h"
#include "queue/domains.h"
#include "queue/group.h"
#include "queue/intake.h"
#include "queue/t_domain.h"

#define ROWS     200 /* looked at in one go */
#define AGAIN_MS 20
#define DAY_S    86400
#define DAY_MS   ((int64_t)DAY_S * 1000)
#define KEEP_S   (180 * DAY_S)
/* In use, a row is written daily: it outlives this halved once. */
#define KEEP_LEAST_S (4 * DAY_S)
#define BYTES_MOST   ((uint64_t)64 << 20)
#define LONG_MX      1000

/* Rows of a size, and one walk through all that is known. */
static struct kind {
	uint64_t keep_s;
	uint64_t bytes; /* of what stays */
} brief = { .keep_s = KEEP_S }, lengthy = { .keep_s = KEEP_S };
static struct {
	bool on;
	char at[256]; /* the last one looked at */
} sweep;
static int64_t due_ms;
static struct timer again;

struct learnt {
	struct change change; /* the first member */
	struct msg_domain domain;
};

static void
write_row(struct txn *t, struct totals *totals, struct change *c)
{
	(void)totals;
	t_domain_put(t, &((struct learnt *)c)->domain);
}

static void
forget(struct change *c)
{
	free(c);
}

static void
put(const struct msg_domain *d)
{
	struct learnt *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->change.apply = write_row;
	l->change.durable = forget;
	l->domain = *d;
	group_add(&l->change, HURRY_NOT);
}

bool
domains_message(struct channel *deliver, const struct msg *m)
{
	struct msg answer = { .type = MSG_DOMAIN_IS, .tag = m->tag };

	switch (m->type) {
	case MSG_DOMAIN_GET:
		t_domain_get(NULL, m->u.domain_get.domain, &answer.u.domain);
		channel_send(deliver, &answer, -1);
		return true;
	case MSG_DOMAIN_PUT:
		put(&m->u.domain);
		return true;
	default:
		return false;
	}
}

static uint64_t
now_s(void)
{
	return (uint64_t)loop_wall_ms() / 1000;
}

static struct kind *
kind_of(const struct msg_domain *d)
{
	return strlen(d->sts_mx) > LONG_MX ? &lengthy : &brief;
}

/* What lies in the future is not true. */
static bool
is_recent(uint64_t when, uint64_t keep_s)
{
	return when <= now_s() + DAY_S && when + keep_s > now_s();
}

static bool
is_worth_keeping(const struct msg_domain *d)
{
	const uint64_t keep_s = kind_of(d)->keep_s;

	/* RFC 8461 5.1: for as long as it said. */
	if (keep_s == KEEP_S && d->sts_expires > now_s() &&
	    d->sts_expires <= now_s() + STS_AGE_MAX + DAY_S)
		return true;
	return is_recent(d->sts_fetched, keep_s) ||
	    is_recent(d->seen_tls, keep_s) || is_recent(d->seen_dane, keep_s) ||
	    is_recent(d->seen_sts, keep_s);
}

/* Some domains that are to be forgotten. */
struct old {
	struct change change; /* the first member */
	unsigned n;
	char domains[ROWS][256];
};

static void
delete_rows(struct txn *t, struct totals *totals, struct change *c)
{
	static struct msg_domain d;
	const struct old *o = (struct old *)c;

	(void)totals;
	/* Some may have been learnt anew since they were looked at. */
	for (unsigned i = 0; i < o->n; i++)
		if (!t_domain_get(t, o->domains[i], &d) ||
		    !is_worth_keeping(&d))
			t_domain_del(t, o->domains[i]);
}

static struct old *
new_old(void)
{
	struct old *o = calloc(1, sizeof(*o));

	if (o == NULL)
		abort();
	o->change.apply = delete_rows;
	o->change.durable = forget;
	return o;
}

struct slice {
	unsigned looked;
	struct old *old; /* NULL: none is */
};

static bool
look(void *arg, const struct msg_domain *d, size_t bytes)
{
	struct slice *s = arg;

	if (s->looked++ == ROWS)
		return false;
	snprintf(sweep.at, sizeof(sweep.at), "%s", d->domain);
	if (is_worth_keeping(d)) {
		kind_of(d)->bytes += bytes;
		return true;
	}
	if (s->old == NULL)
		s->old = new_old();
	snprintf(s->old->domains[s->old->n++], 256, "%s", d->domain);
	return true;
}

/* There may be too much even so: then forget more.  Whether it did. */
static bool
shorten(struct kind *k)
{
	if (k->bytes < BYTES_MOST / 2)
		k->keep_s = KEEP_S;
	if (k->bytes <= BYTES_MOST || k->keep_s <= KEEP_LEAST_S)
		return false;
	k->keep_s /= 2;
	log_event("warning", "text=%s days=%u",
	    log_quote("too much is known of mail domains: what is older is "
		      "forgotten"),
	    (unsigned)(k->keep_s / DAY_S));
	return true;
}

static void
end_sweep(void)
{
	bool more = shorten(&brief);

	more |= shorten(&lengthy);
	sweep.on = false;
	due_ms = loop_now_ms() + (more ? 0 : DAY_MS);
}

static void
go_on(void *arg)
{
	struct slice s = { .looked = 0 };
	bool more;

	(void)arg;
	if (intake_get() == INTAKE_STOPPING) {
		sweep.on = false;
		return;
	}
	more = t_domain_walk(sweep.at, look, &s);
	if (s.old != NULL)
		group_add(&s.old->change, HURRY_NOT);
	if (more)
		timer_set(&again, AGAIN_MS);
	else
		end_sweep();
}

void
domains_tick(void)
{
	if (!again.ready)
		timer_init(&again, go_on, NULL);
	if (!clock_may_forget(DAY_MS)) {
		timer_clear(&again);
		sweep.on = false;
		due_ms = 0;
		return;
	}
	if (sweep.on || loop_now_ms() < due_ms)
		return;
	sweep.on = true;
	sweep.at[0] = '\0';
	brief.bytes = lengthy.bytes = 0;
	go_on(NULL);
}
