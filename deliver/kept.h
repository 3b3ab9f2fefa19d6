/*
 * kept.h - connections between two jobs, by what they are good for.
 *
 * The one used last is taken first, so that a stream of mail stays on as few
 * connections as it needs and the others grow old and go.
 */
#ifndef DELIVER_KEPT_H
#define DELIVER_KEPT_H

#include <stdbool.h>
#include <sys/queue.h>

#include "deliver/berths.h"
#include "deliver/policy.h"

/* What two jobs must agree on to share a connection. */
struct link_key {
	char host[256];
	unsigned port;
	enum route_tls route_tls; /* by which with `demand` it was found */
	enum demand demand;
	struct policy policy;
	char user[256];
	char route[CONF_ROUTE_NAME]; /* whose password; without a user not
				      * compared */
	struct net_address source4, source6; /* as in the route */
	char helo[256];
	bool clear; /* TLS was tried and does not work; not compared */
};

/* That of a host by a route: policy, demand and clear are for the caller to
 * set, and 0. */
void link_key_init(
    struct link_key *, const struct conf_route *, const char host[256]);

/* Part of every connection. */
struct kept {
	struct link_key key;
	char domain[256];      /* for which it was found in MX records, or "" */
	bool on;               /* it is kept now */
	struct berths *berths; /* where it is counted, or NULL */
	TAILQ_ENTRY(kept) entry;
};

void kept_add(struct kept *);
/* Harmless when it is not kept. */
void kept_remove(struct kept *);
unsigned kept_count(void);

/* The newest that fits, or the oldest of all; NULL when there is none. */
struct kept *kept_find(const struct link_key *);
/* The same, by whatever policy: what this route and demand led to before. */
struct kept *kept_find_route(const struct link_key *);
/* The same, with whatever host of this mail domain. */
struct kept *kept_find_domain(const struct link_key *, const char *domain);
/* The same, with whatever host, of this destination. */
struct kept *kept_find_berths(const struct link_key *, const struct berths *);
struct kept *kept_oldest(void);
struct kept *kept_oldest_of(const struct berths *);

#endif
