/*
 * dest.h - destinations: how many jobs each can take at once, and since when
 * it does not answer.
 *
 * A destination is a recipient domain, or the HOST:PORT of the route that
 * carries a mail; what leaves from an address of its own has its own.  The number of jobs in flight to it grows with success
 * and shrinks when it fails to answer; when it goes on failing, everybody's
 * mail for it waits together and one job at a time is the probe.
 */
#ifndef QUEUE_DEST_H
#define QUEUE_DEST_H

#include <sys/queue.h>
#include <uthash.h>

#include "lib/conf.h"
#include "queue/refill.h"

struct flow;
struct alias;

struct dest {
	char *name;
	unsigned most;  /* flights at once at most */
	unsigned limit; /* now */
	unsigned flying;
	bool demand; /* somebody found no free flight since the last take-off */
	unsigned failures; /* in a row */
	bool answered;     /* ever, as long as we remember it */
	int64_t retry_at;  /* wall ms: it is left alone until then; 0 no */
	int64_t idle_since;
	bool idle;
	struct skip skip; /* rows passed over because it does not answer */
	TAILQ_HEAD(, flow) flows;
	TAILQ_HEAD(, flow) blocked; /* flows that wait for a free flight */
	SLIST_HEAD(, alias) aliases;
	unsigned naliases;
	TAILQ_ENTRY(dest) waiting_link, idle_link;
	UT_hash_handle hh;
};

/* The configuration has changed, and with it maybe the routes. */
void dest_reroute(void);

/* The destination of a mail; made when it is new. */
struct dest *dest_for(const struct conf_mail *);
/* Of a row, when it is known; or NULL. */
struct dest *dest_by_row(const struct due_row *);
/* Called with each; it may be idle afterwards. */
void dest_each(void (*cb)(struct dest *));

static inline bool
dest_waiting(const struct dest *d)
{
	return d->retry_at != 0;
}

static inline bool
dest_can_fly(const struct dest *d)
{
	return d->retry_at == 0 && d->flying < d->limit;
}

enum landing {
	LANDED_WELL,     /* it took the mail */
	LANDED_ANSWERED, /* it did not, but it answered */
	LANDED_NOWHERE,  /* it did not answer */
	LANDED_UNKNOWN,  /* we never heard: deliver died */
};

void dest_take_off(struct dest *);
/* Returns whether it must be left alone from now on (see retry_at). */
bool dest_land(struct dest *, enum landing, int64_t now_ms);

/* Those whose wait is over now: called with each, whose retry_at is 0
 * again. */
void dest_wake(int64_t now_ms, void (*awake)(struct dest *));
/* Forget all waits, as an admin asked. */
void dest_wake_all(void (*awake)(struct dest *));

/* It has no flows any more; forgotten after a while. */
void dest_idle(struct dest *, int64_t now_ms);
void dest_sweep(int64_t now_ms);

unsigned dest_count_waiting(void);

#endif
