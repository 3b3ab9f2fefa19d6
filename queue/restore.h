/*
 * restore.h - messages out of a backup, back into an empty spool.
 *
 * Nothing of what comes is believed: it is bounded and checked as strictly as
 * what a client submits.  The first thing that is wrong ends it, and what was
 * taken before stays.  Ids are kept, so that what the log and Received: lines
 * say of a message stays true.
 */
#ifndef QUEUE_RESTORE_H
#define QUEUE_RESTORE_H

#include <stdbool.h>

#include "ipc/messages.h"

struct restore;

/*
 *   idle  called with arg, once, when restore_wait() was and all that came is
 *         durable
 */
struct restore *restore_new(void (*idle)(void *arg), void *arg);
/* Never calls idle any more.  NULL is fine. */
void restore_free(struct restore *);

/* One MSG_RESTORE_ message, in the order that ipc/messages_queue.h tells. */
void restore_take(struct restore *, const struct msg *);

void restore_wait(struct restore *);
/* What was wrong, or NULL. */
const char *restore_fault(const struct restore *);
/* Messages that are durable. */
uint64_t restore_count(const struct restore *);

#endif
