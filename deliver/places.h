/*
 * places.h - the addresses of the hosts of one preference, in the order to
 * try them: one host after the other, and of each IPv6 and IPv4 take turns.
 */
#ifndef DELIVER_PLACES_H
#define DELIVER_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/answer.h"

#define PLACES_FAMILY 4 /* addresses of one host and family */
#define PLACES_MAX    40

struct place {
	unsigned host; /* the caller's number for it */
	struct net_address address;
};

struct places {
	struct place all[PLACES_MAX];
	unsigned n;
	uint8_t order[PLACES_MAX];
	unsigned norder, next;
};

void places_clear(struct places *);
/* An address of a host, or those of an answer, to connect to at this port.
 * What is over PLACES_MAX, and over PLACES_FAMILY in an answer, is left
 * out. */
void places_add(struct places *, unsigned host, const struct net_address *);
void places_add_answer(
    struct places *, unsigned host, const struct answer *, unsigned port);

/* One of them is this server (self.h). */
bool places_has_self(const struct places *);
/* All are there: line up those of the hosts from first to below end. */
void places_line_up(struct places *, unsigned first, unsigned end);
/* The next in line; NULL: that was all. */
const struct place *places_next(struct places *);
/* One of this host that is still in line, in exchange for the latest, which
 * stands in line again; NULL: there is none. */
const struct place *places_swap(struct places *, unsigned host);

#endif
