/*
 * outcome.h - what is to be written and logged of an attempt at a job, once
 * the fate of its recipients is known (fate.h).
 */
#ifndef QUEUE_OUTCOME_H
#define QUEUE_OUTCOME_H

#include "queue/job.h"
#include "queue/t_meta.h"

struct outcome {
	struct job *job;
	uint64_t now;     /* wall milliseconds */
	uint64_t was_due; /* its row in the schedule so far; 0 none */
	bool ended;       /* nobody waits any more */
	bool noticed;     /* a delay notice goes with it */
	uint64_t digest;  /* when its failures are told, if not at once */
	bool left; /* set by outcome_write(): the message left the queue */
};

/*
 * Write it: journal, totals, schedule, the job's row or its end, and with the
 * last of the outcomes gathered for a message (letter->gathered, this one
 * among them) the message's row, or its end.
 */
void outcome_write(struct txn *, struct totals *, struct outcome *);

/* Say it in the log: msg.delivered and its like for each recipient with an
 * event, msg.delayed, msg.done.  It has been written. */
void outcome_log(const struct outcome *);

#endif
