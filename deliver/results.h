/*
 * results.h - how connections went, for the domains that want to be told (RFC
 * 8460): added up here, and told to the queue, which makes the reports.
 *
 * Noting costs a look along a short list; whether a domain wants to be told is
 * asked of DNS only when the list is emptied, every few seconds.
 */
#ifndef DELIVER_RESULTS_H
#define DELIVER_RESULTS_H

#include <stdbool.h>

#include "deliver/policy.h"
#include "deliver/target.h"
#include "ipc/channel.h"
#include "mail/tlsrpt.h"

/* The line to the queue, borrowed; it may be closed and opened again. */
void results_start(struct channel *queue);
/* Whether anything is noted at all. */
void results_configure(bool on);

/*
 * One connection to a server of a domain, or one that the policy ruled out.
 * Nothing is noted where a route or the message says what TLS must be like.
 *
 *   domain  whose mail it is; "" by a route
 *   fd      of the connection, or -1
 *   why     of a failure, or ""
 */
void results_session(const char *domain, const struct target *,
    const struct policy *, enum demand, int fd, enum tlsrpt_result,
    const char *why);

/* The MTA-STS policy of a domain could not be had. */
void results_sts(const char *domain, enum tlsrpt_result, const char *why);

#endif
