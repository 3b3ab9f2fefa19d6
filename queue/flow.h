/*
 * flow.h - whose turn is it?
 *
 * A flow is the ready jobs of one account for one destination.  Turns go
 * round the accounts first and round each account's flows second, so that
 * neither a list of 45,000 nor a slow destination delays another's letter.
 * Within a flow the sender's priority counts (RFC 6710), and never beyond it.
 *
 * Of a long queue a flow holds a few jobs at a time.  A job that finds no
 * place (its flow is full, its destination does not answer, its account is
 * suspended) stays a row; the place remembers the earliest row that it
 * passed over and asks for it again (refill.h) when it can take more.
 */
#ifndef QUEUE_FLOW_H
#define QUEUE_FLOW_H

#include "queue/account.h"
#include "queue/dest.h"
#include "queue/job.h"

#define JOBS_IN_MEMORY 20000

/*
 * Would a job of this row find a place?  When not, that is remembered, and
 * the row need not be loaded.
 */
bool flow_has_place(const struct due_key *, const struct due_row *);
/* Is its account suspended? */
bool flow_row_suspended(const struct due_row *);

/* Put a ready job in line; false when there is no place, which is
 * remembered: the caller frees the job. */
bool flow_admit(struct job *);

/* The next job whose turn it is, JOB_FLYING now; NULL when nobody can go. */
struct job *flow_next(void);

/*
 * Another job of the same message that may leave in the same transaction as
 * this one, which flow_next() gave: by one route, to a server that is not in
 * doubt.  NULL none.  flow_take_along() makes it JOB_FLYING; to the
 * destination all of them are one flight.
 */
struct job *flow_mate(const struct job *);
void flow_take_along(struct job *, struct job *mate);

/* Where a job of a flow goes. */
struct dest *flow_dest(const struct job *);

/* The flight is over: its destination's state is updated.  The job is
 * JOB_SETTLING. */
void flow_land(struct job *, enum landing);
/* It goes on, and has found somebody to talk to. */
void flow_contact(const struct job *);
/* Deliver tells the site of a domain; "" it does not know. */
void flow_site_is(const char *domain, const char *site);
/* A job that landed without news is ready again, the first of its flow. */
void flow_return(struct job *);

/* Take a job out of its flow, whatever its state; then free it. */
void flow_leave(struct job *);
/* Let a ready job go back to being a row, without a trace here. */
void flow_unload(struct job *);

void flow_suspend(const char *account, unsigned told);
void flow_resume(const char *account);
/* Auth has told everything: who is suspended only by an earlier telling is
 * not any more. */
void flow_resume_untold(unsigned told);
bool flow_suspended(const char *account);

/* The configuration has changed, and with it maybe the routes: all that is
 * ready or had no place is looked at again. */
void flow_reroute(void);

/* Destinations that can be tried again; forgetting what is long idle. */
void flow_tick(void);
/* Try all destinations again now, or that of a mail. */
void flow_wake_all(void);
void flow_wake(const struct conf_mail *);

#endif
