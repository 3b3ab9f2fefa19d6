/*
 * known.h - what is known of mail domains from before: their MTA-STS policies
 * (RFC 8461) and what they could do.  The queue keeps it; here is a copy of
 * what is in use.
 */
#ifndef DELIVER_KNOWN_H
#define DELIVER_KNOWN_H

#include <stdint.h>

#include "ipc/channel.h"

/* The line to the queue, borrowed; it may be closed and opened again. */
void known_start(struct channel *queue);
/* It is open again: what was asked is asked again. */
void known_queue_is_back(void);
/* A MSG_DOMAIN_IS. */
void known_message(const struct msg *);

/* Valid for the call; the caller may change it and then calls known_keep(). */
typedef void known_fn(void *arg, struct msg_domain *);

/*
 * Answers once, perhaps before this returns.  A queue that is away answers
 * when it is back.
 */
void known_ask(const char *domain, known_fn *, void *arg);

/* What is in memory now; NULL when it was not asked for lately. */
struct msg_domain *known_look(const char *domain);
/* It was changed: tell the queue. */
void known_keep(const struct msg_domain *);

enum ability { ABLE_TLS, ABLE_DANE, ABLE_STS, ABILITIES };

/*
 * A delivery came about, and this is what stood behind it: remembered, and a
 * domain that could more before is told (tls.downgrade, once a day for each).
 */
void
known_note(const char *domain, const char *mx, bool tls, const char *policy);

#endif
