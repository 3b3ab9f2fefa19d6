/*
 * proxied.h - connections of load balancers, until the header has come that
 * tells whose they are (lib/proxy.h).
 *
 * The header conveys an address, for the log and for limits.  Nothing is
 * trusted more because of it.
 */
#ifndef SMTPD_PROXIED_H
#define SMTPD_PROXIED_H

#include "lib/conf.h"
#include "smtpd/listener.h"

/* Who gets what comes through, and is told of each that does not. */
void proxied_init(listener_fn *next, void (*on_less)(void));

/*
 * A connection has come to a listener with proxy-from; takes fd.  When the
 * peer is one of those and a whole header comes within five seconds, `next`
 * gets the connection, not an octet behind the header read, and the client's
 * address: the peer's own when the header says so.  Otherwise it is closed,
 * and logged as smtp.closed.
 */
void proxied_begin(int fd, const struct sockaddr *peer, const struct door *,
    const struct conf_listen *);

/* How many wait for their header. */
unsigned proxied_count(void);

/* Close all that still wait. */
void proxied_stop(void);

#endif
