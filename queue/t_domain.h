/*
 * t_domain.h - what is known of mail domains: name -> struct msg_domain.
 *
 * Written over whenever deliver has learnt something; at most daily for what
 * only was confirmed.
 */
#ifndef QUEUE_T_DOMAIN_H
#define QUEUE_T_DOMAIN_H

#include "ipc/messages.h"
#include "queue/store.h"

void t_domain_put(struct txn *, const struct msg_domain *);
/* False, with *d empty but for the name, when nothing is known or the row is
 * damaged, which is logged.  domain is not of *d. */
bool t_domain_get(struct txn *, const char *domain, struct msg_domain *d);

/* A row, empty but for the name when it is damaged; bytes: what it takes in
 * the store. */
typedef bool t_domain_fn(void *arg, const struct msg_domain *, size_t bytes);

/* Call cb for the rows behind that of a domain ("": all), in order, until it
 * returns false.  Returns whether it did. */
bool t_domain_walk(const char *behind, t_domain_fn *, void *arg);
void t_domain_del(struct txn *, const char *domain);

#endif
