/*
 * settle.h - the outcome of an attempt goes into the store: journal, job,
 * schedule and, if need be, the notice to the sender, in one transaction.
 */
#ifndef QUEUE_SETTLE_H
#define QUEUE_SETTLE_H

#include "queue/job.h"

/*
 * The flight of a job is over; each recipient's verdict and answer are set,
 * or NO_VERDICT for one that nothing was heard about.
 *
 *   j        taken; JOB_SETTLING
 *   counted  the attempt counts, also for those without a verdict
 */
void settle_job(struct job *j, bool counted);

/* Must the sender of a job hear of it now, though it was not tried? */
bool settle_is_due(const struct job *);

/*
 * A job whose destination has not answered for so long that its sender must
 * be told, or its time is over, is dealt with though it was not tried.
 *
 *   j  taken; loaded, in no flow
 */
void settle_unattempted(struct job *j);

#endif
