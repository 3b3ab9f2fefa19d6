/*
 * domains.h - what deliver learns of mail domains and must not forget: kept
 * for it in the store.
 */
#ifndef QUEUE_DOMAINS_H
#define QUEUE_DOMAINS_H

#include "ipc/channel.h"

/* A message of deliver that is about a domain; false when it is not. */
bool domains_message(struct channel *deliver, const struct msg *);

/* Once a second: each day what has grown old is forgotten, and what is not so
 * old when there is too much of it; only when clock_may_forget(). */
void domains_tick(void);

#endif
