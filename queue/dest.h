/*
 * dest.h - destinations: who shares a pace (pace.h), and who waits for it.
 *
 * A destination is a set of mail servers: the site of the recipient domain
 * (sites.h), or the HOST:PORT of the route that carries a mail; and the domain
 * itself while its site is not known, or when the trouble is its own.  What
 * leaves from an address of its own, or has another rate, is another
 * destination.
 */
#ifndef QUEUE_DEST_H
#define QUEUE_DEST_H

#include <sys/queue.h>
#include <uthash.h>

#include "lib/conf.h"
#include "queue/alarm.h"
#include "queue/pace.h"
#include "queue/refill.h"

struct flow;
struct alias;

enum site_state {
	SITE_KNOWN,   /* or there is none to be known */
	SITE_UNASKED, /* deliver is to be asked before anything goes there */
	SITE_IN_LINE, /* and will be, when it has answered others */
	SITE_ASKED,
};

struct dest {
	char *key;
	const char *name; /* as operators see it, in the key */
	struct pace pace;
	struct pace_bounds bounds;
	uint64_t id;   /* hash64() of the key */
	unsigned told; /* the width that deliver knows */
	bool narrower; /* it is to be told of less */
	bool demand; /* somebody found no free flight since the last take-off */
	enum site_state site;
	struct alarm alarm;
	int64_t idle_since;
	bool idle;
	struct skip skip; /* rows passed over because it does not answer */
	TAILQ_HEAD(, flow) flows;
	TAILQ_HEAD(, flow) blocked; /* flows that wait for a free flight */
	SLIST_HEAD(, alias) aliases;
	unsigned naliases;
	TAILQ_ENTRY(dest) idle_link, narrow;
	TAILQ_ENTRY(dest) asking; /* in line to be, or asked */
	UT_hash_handle hh;
};

/* The configuration has changed, and with it maybe the routes. */
void dest_reroute(void);

/* The destination of a mail; made when it is new. */
struct dest *dest_for(const struct conf_mail *);
/* The same, of one whose trouble is that of its domain, not of its site. */
struct dest *dest_alone(const struct conf_mail *);
/* The same, when it is there; or NULL. */
struct dest *dest_look(const struct conf_mail *);
/* Of a row, when it is known; or NULL. */
struct dest *dest_by_row(const struct due_row *);
/* Called with each; it may be idle afterwards. */
void dest_each(void (*cb)(struct dest *));

static inline bool
dest_waiting(const struct dest *d)
{
	return d->pace.retry_at != 0;
}

/* Whether it may take one more now.  When not, an alarm is set if it is only
 * a matter of time. */
bool dest_can_fly(struct dest *);
/* Returns the epoch of the flight, see pace.h. */
uint32_t dest_take_off(struct dest *);
/* How many connections it may have; to be told to deliver, which counts those
 * that rest as well. */
unsigned dest_width(struct dest *);
/* One whose width is less than was told; NULL none. */
struct dest *dest_narrower(void);
/* A flight is over, whatever is to be said of it. */
void dest_land(struct dest *, uint32_t epoch);
/* What it found.  Returns whether d must be left alone from now on. */
bool dest_hear(struct dest *, enum landing, uint32_t epoch);
/* A flight that goes on has found somebody to talk to. */
void dest_contact(struct dest *);

/* Somebody wants to send to a destination whose site is not known: one after
 * the other, with the domain to ask deliver about; false: none now. */
bool dest_ask(char domain[256]);
/* Deliver knows, or never will ("").  answered is called with those who waited
 * for it; NULL: it told without being asked. */
void dest_site_is(
    const char *domain, const char *site, void (*answered)(struct dest *));
/* It died without an answer. */
void dest_ask_again(void);

/* Those whose time has come: called with each. */
void dest_ring(void (*awake)(struct dest *));
/* Forget the wait of one, as an admin asked. */
void dest_forgive(struct dest *);

/* It has no flows any more; forgotten after a while. */
void dest_idle(struct dest *);
void dest_sweep(void);

/* Those that are left alone now. */
unsigned dest_count_waiting(void);

#endif
