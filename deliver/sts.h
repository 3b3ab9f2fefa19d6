/*
 * sts.h - the MTA-STS policy of a mail domain (RFC 8461): looked up, fetched
 * by postern-sts, kept by the queue, refreshed ahead of its end.
 *
 * What cannot be looked up or fetched leaves the policy that is known and not
 * out of date in force; without one the domain has none (3.3, 5.1).
 */
#ifndef DELIVER_STS_H
#define DELIVER_STS_H

#include <stdint.h>

#include "ipc/messages.h"
#include "mail/sts.h"

/* A new line to postern-sts (taken). */
void sts_peer(int fd);

/*
 * The policy in force, and what is known of the domain besides; valid for the
 * call.
 *
 *   problem  why no fresh policy was to be had, or NULL
 */
typedef void sts_fn(
    void *arg, enum sts_mode, const struct msg_domain *, const char *problem);

/* Answers once, perhaps before this returns, within a minute. */
uint64_t sts_ask(const char *domain, sts_fn *, void *arg);
void sts_forget(const char *domain, uint64_t ticket);

#endif
