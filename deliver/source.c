/*
 * source.c - see source.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "deliver/source.h"

/* len 0: the route does not say. */
static const struct net_address *
source_of(const struct link_key *k, const struct net_address *to)
{
	return to->ss.ss_family == AF_INET ? &k->source4 : &k->source6;
}

/* The route has a source address, but of the other family. */
static bool
lacks_source(const struct link_key *k, const struct net_address *to)
{
	return source_of(k, to)->len == 0 &&
	    (k->source4.len != 0 || k->source6.len != 0);
}

int
source_connect(struct io *io, const struct link_key *k,
    const struct net_address *to, size_t in_limit, io_event_fn *on_event,
    void *arg)
{
	const struct net_address *from = source_of(k, to);

	if (lacks_source(k, to)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return io_connect(io, (const struct sockaddr *)&to->ss, to->len,
	    from->len != 0 ? (const struct sockaddr *)&from->ss : NULL,
	    from->len, in_limit, on_event, arg);
}

void
source_explain(const struct link_key *k, const struct net_address *to,
    int error, char why[SOURCE_WHY])
{
	const struct net_address *from = source_of(k, to);
	char source[NET_TEXT];

	if (lacks_source(k, to)) {
		snprintf(why, SOURCE_WHY,
		    "[route %s] has no %s address as source", k->route,
		    to->ss.ss_family == AF_INET ? "IPv4" : "IPv6");
	} else if (from->len != 0 && error == EADDRNOTAVAIL) {
		net_text((const struct sockaddr *)&from->ss, source);
		snprintf(why, SOURCE_WHY,
		    "source %s of [route %s] is not an address of this machine",
		    source, k->route);
	} else {
		snprintf(why, SOURCE_WHY, "%s", strerror(error));
	}
}
