/*
 * carry.h - carrying a job: from its destination to addresses, connection
 * after connection, until every recipient has an outcome.
 */
#ifndef DELIVER_CARRY_H
#define DELIVER_CARRY_H

#include <stdbool.h>

#include "deliver/job.h"
#include "lib/conf.h"

struct carry;

/* Some outcomes are there to be told; with job->open == 0 the job is over and
 * the carry is gone. */
typedef void carry_news_fn(void *arg, struct job *);

/*
 * Begin; the route is taken from conf now.  news comes perhaps before this
 * returns; the job (borrowed) must live until its last news.
 *
 *   slot  set while the carry lives
 */
void carry_start(struct job *, const struct conf *, struct carry **slot,
    carry_news_fn *, void *arg);

/* Stop: open recipients get a temporary outcome with this reason, and the last
 * news comes before this returns. */
void carry_abort(struct carry *, const char *why);
/* A transaction is under way. */
bool carry_is_talking(const struct carry *);
/* The end of the message has left, its answer has not come. */
bool carry_is_waiting(const struct carry *);

#endif
