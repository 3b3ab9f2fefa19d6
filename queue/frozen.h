/*
 * frozen.h - mail about an account that the guard froze.
 */
#ifndef QUEUE_FROZEN_H
#define QUEUE_FROZEN_H

#include "ipc/messages.h"
#include "queue/spool.h"
#include "queue/t_digest.h"

/*
 * Tell the postmaster, or whom [guard] notify names, with the evidence and
 * what to do; and the account, that it was stopped and why.  What the
 * postmaster has to hear soon after another such mail is gathered (digest.h).
 */
void frozen_tell(const struct msg_frozen *);

/*
 * What was gathered, n rows (one at least) for the same reader, as one message
 * that spool_accept() takes: a table, and below each account how to let it go
 * on.  NULL when the reader's address cannot be used; logs that.
 */
struct accept *frozen_summary(const struct digest_row *, size_t n);

#endif
