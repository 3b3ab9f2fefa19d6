/*
 * landing.h - what deliver says of a job, in the job.
 *
 * What breaks the protocol is fatal.
 */
#ifndef QUEUE_LANDING_H
#define QUEUE_LANDING_H

#include "queue/job.h"
#include "queue/pace.h"

/* The recipients that the verdict is about have it; each has one at most. */
void landing_note(struct job *, const struct msg_job_verdict *);
/* One answer for everybody who has none yet. */
void landing_answer_rest(
    struct job *, enum verdict, const char *status, const char *text);

/* Has anybody a verdict? */
bool landing_heard(const struct job *);
/* What all of them, and the last one, say of the destination. */
enum landing landing_of(const struct job *, const struct msg_job_verdict *);

#endif
