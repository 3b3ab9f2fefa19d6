/*
 * digest.h - no flood of notices.
 *
 * An account gets so many notices of failures in an hour, each by itself.
 * Those behind them wait in the store and are told together, some time after
 * the first.  A failure is written where its verdict is, and a digest in the
 * transaction that takes its failures out of the store: no crash loses one,
 * none is told twice.
 */
#ifndef QUEUE_DIGEST_H
#define QUEUE_DIGEST_H

#include "queue/job.h"
#include "queue/t_meta.h"

/* The store is open: what waits from before goes on waiting. */
void digest_start(void);
void digest_stop(void);

/*
 * Is the notice of a failure of this letter to wait?  When not, it is counted
 * as one that goes now.  What RET=FULL asks for never waits: a digest returns
 * no messages.
 *
 * Returns when the digest is due (unix milliseconds), or 0.
 */
uint64_t digest_due(const struct letter *);

/* May its sender have a notice now that need not come, of a delay?  Then it is
 * counted like one of a failure. */
bool digest_may_tell(const struct letter *);

/* Write a failure of this job's letter, whose journal event has been written
 * just now.  due is what digest_due() said. */
void digest_add(struct txn *, const struct totals *, const struct job *,
    const struct rcpt *, uint64_t due);

/*
 * Tell somebody that the guard froze an account, at most one mail in the time
 * that digests gather.  False: do it now.  True: it will be in the next
 * summary (frozen_summary()), also after a crash, as soon as the next group is
 * on the disk.
 *
 *   to, account, why  borrowed; addresses, and a text of 511 bytes at most
 */
bool digest_freeze(const char *to, const char *account, const char *why);

/* Tell everything that waits, now. */
void digest_tell_all(void);

#endif
