/*
 * fate.h - what an attempt, or time that passes, makes of the recipients of a
 * job: state and event of each.  Writes nothing.
 */
#ifndef QUEUE_FATE_H
#define QUEUE_FATE_H

#include "queue/job.h"
#include "queue/t_journal.h"

/*
 * Turn the verdicts of a flight into states and events, and take them away.
 * Of a removed job only what arrived all the same becomes one.  Tells auth
 * what counts for the account (results.h).
 */
void fate_judge(struct job *);

/* Everybody who still waits has failed for good. */
void fate_fail_waiting(struct job *);
/* The same, because the sender's deadline is over (RFC 2852 4); now in wall
 * milliseconds.  Each gets an answer that says so and what was heard last. */
void fate_fail_too_late(struct job *, int64_t now);

/* The sender's deadline has passed, and the mail is to come back. */
bool fate_too_late(const struct letter *, int64_t now);
/* Somebody still waits whose sender must be told now that it takes long, and
 * was not yet. */
bool fate_delay_is_news(const struct job *, int64_t now);

/* One recipient at least has this event. */
bool fate_any(const struct job *, enum event_kind);
/* One was delivered, and the sender must be told by us. */
bool fate_any_to_tell(const struct job *);

#endif
