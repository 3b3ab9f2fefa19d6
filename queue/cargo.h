/*
 * cargo.h - what goes in one MSG_JOB: a job, and those of its message that fly
 * with it; there is one at a time.
 */
#ifndef QUEUE_CARGO_H
#define QUEUE_CARGO_H

#include "queue/job.h"

/* It holds nothing. */
void cargo_clear(void);

/* The first one leads.  False, with all as it was, when there is no room. */
bool cargo_add(struct job *, uint64_t tag);
/* The i-th, counted from 0; NULL behind the last one. */
struct job *cargo_job(unsigned i);

/*
 * Fill in whom it is for, and the body with its size and TX_IN_FILE.  What is
 * in m borrows until the next cargo.
 *
 *   fd  the body as a file that nobody can change, for the caller to close;
 *       as it was when the body is in m
 *
 * False, with errno as a rule, when the body cannot be had.
 */
bool cargo_pack(struct msg_job *m, int *fd);

#endif
