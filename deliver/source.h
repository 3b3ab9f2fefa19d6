/*
 * source.h - the address of this machine from which a connection leaves,
 * where its route names one.
 */
#ifndef DELIVER_SOURCE_H
#define DELIVER_SOURCE_H

#include "deliver/kept.h"
#include "lib/io.h"

/*
 * Start connecting from there (io_connect()).  -1 with errno when it fails at
 * once: EAFNOSUPPORT also where the route has a source of the other family
 * only.
 */
int source_connect(struct io *, const struct link_key *,
    const struct net_address *to, size_t in_limit, io_event_fn *, void *arg);

/* Why not even an attempt could be made, with that errno. */
#define SOURCE_WHY (2 * CONF_ROUTE_NAME)
void source_explain(const struct link_key *, const struct net_address *to,
    int error, char why[SOURCE_WHY]);

#endif
