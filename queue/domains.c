/*
 * domains.c - see domains.h.
 *
 * Whoever may send can name domains without end, each with a policy of 4 KiB,
 * so what is known is kept for half a year, and for less where it would take
 * more than BYTES_MOST.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "mail/sts.h"
#include "queue/domains.h"
#include "queue/group.h"
#include "queue/t_domain.h"

#define ROWS       200 /* looked at in one go */
#define AGAIN_MS   20
#define DAY_S      86400
#define KEEP_S     (180 * DAY_S)
#define BYTES_MOST ((uint64_t)64 << 20)

/* One walk through all that is known. */
static struct {
	bool on;
	char at[256];   /* the last one looked at */
	uint64_t bytes; /* of what stays */
} sweep;
static int64_t due_s;
static uint64_t keep_s = KEEP_S;
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
		t_domain_get(m->u.domain_get.domain, &answer.u.domain);
		channel_send(deliver, &answer, -1);
		return true;
	case MSG_DOMAIN_PUT:
		put(&m->u.domain);
		return true;
	default:
		return false;
	}
}

/* Some domains that are to be forgotten. */
struct old {
	struct change change; /* the first member */
	unsigned looked, n;
	char domains[ROWS][256];
};

static void
delete_rows(struct txn *t, struct totals *totals, struct change *c)
{
	const struct old *o = (struct old *)c;

	(void)totals;
	for (unsigned i = 0; i < o->n; i++)
		t_domain_del(t, o->domains[i]);
}

static uint64_t
now_s(void)
{
	return (uint64_t)loop_wall_ms() / 1000;
}

/* What lies in the future is not true. */
static bool
is_recent(uint64_t when)
{
	return when <= now_s() + DAY_S && when + keep_s > now_s();
}

static bool
is_worth_keeping(const struct msg_domain *d)
{
	/* RFC 8461 5.1: for as long as it said. */
	if (keep_s == KEEP_S && d->sts_expires > now_s() &&
	    d->sts_expires <= now_s() + STS_AGE_MAX + DAY_S)
		return true;
	return is_recent(d->sts_fetched) || is_recent(d->seen_tls) ||
	    is_recent(d->seen_dane) || is_recent(d->seen_sts);
}

static bool
look(void *arg, const struct msg_domain *d, size_t bytes)
{
	struct old *o = arg;

	if (o->looked++ == ROWS)
		return false;
	snprintf(sweep.at, sizeof(sweep.at), "%s", d->domain);
	if (is_worth_keeping(d))
		sweep.bytes += bytes;
	else
		snprintf(o->domains[o->n++], 256, "%s", d->domain);
	return true;
}

/* There may be too much even so: again, and forget more. */
static void
end_sweep(void)
{
	sweep.on = false;
	due_s = (int64_t)now_s() + DAY_S;
	if (sweep.bytes < BYTES_MOST / 2) {
		keep_s = KEEP_S;
	} else if (sweep.bytes > BYTES_MOST && keep_s > DAY_S) {
		keep_s /= 2;
		due_s = 0;
		log_event("warning", "text=%s days=%u",
		    log_quote("too much is known of mail domains: what is "
			      "older is forgotten"),
		    (unsigned)(keep_s / DAY_S));
	}
}

static void
go_on(void *arg)
{
	struct old *o = calloc(1, sizeof(*o));
	bool more;

	(void)arg;
	if (o == NULL)
		abort();
	more = t_domain_walk(sweep.at, look, o);
	o->change.apply = delete_rows;
	o->change.durable = forget;
	if (o->n > 0)
		group_add(&o->change, HURRY_NOT);
	else
		free(o);
	if (more)
		timer_set(&again, AGAIN_MS);
	else
		end_sweep();
}

void
domains_tick(void)
{
	if (sweep.on || (int64_t)now_s() < due_s)
		return;
	if (!again.ready)
		timer_init(&again, go_on, NULL);
	sweep.on = true;
	sweep.at[0] = '\0';
	sweep.bytes = 0;
	go_on(NULL);
}
