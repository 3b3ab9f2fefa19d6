/*
 * search.h - from a destination to the addresses to connect to, one after
 * the other (RFC 5321 5.1, RFC 7505).
 *
 * Hosts come in order of preference, those of one preference shuffled; of
 * each host IPv6 and IPv4 addresses take turns.  Addresses are looked up
 * when a preference is reached, all of its hosts together, so that ourselves
 * are found before anyone beside us is tried.  Where everything on the way to
 * a host was validated its TLSA records are looked up as well (RFC 7672 2.2).
 */
#ifndef DELIVER_SEARCH_H
#define DELIVER_SEARCH_H

#include <stdbool.h>

#include "deliver/outcome.h"
#include "deliver/target.h"

struct search;

/* The next target, valid for the call; NULL when there is no other. */
typedef void search_found_fn(void *arg, const struct target *);

/*
 * What to search for.
 *
 *   name    a mail domain, an address literal in brackets, or with mx false
 *           a host name or an address
 *   port    to connect to
 */
struct search *search_new(
    const char *name, bool mx, unsigned port, search_found_fn *, void *arg);
/* No answer comes any more. */
void search_free(struct search *);

/* Answers once, perhaps before this returns. */
void search_next(struct search *);

/*
 * Take back the target that was given last, which comes later, and give one of
 * this host and the same preference instead, if there is one that was not given
 * yet.
 */
bool search_swap(struct search *, const char *host, struct target *);

/* Whose servers these are (mx_site()), as far as known; "" for a host or an
 * address, or when no MX could be looked up. */
const char *search_site(const struct search *);

/* After NULL came: false when every target there is was given and nothing
 * went wrong on the way; else why some or all were not found. */
bool search_failure(const struct search *, struct outcome *);

#endif
