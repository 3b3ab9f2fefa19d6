/*
 * ready.h - the ready jobs of a flow: by their senders' priority (RFC 6710),
 * and in the order they came.
 */
#ifndef QUEUE_READY_H
#define QUEUE_READY_H

#include "queue/job.h"

#define PRIORITIES 19 /* RFC 6710 4.1: from -9 to 9 */

struct ready {
	TAILQ_HEAD(, job) jobs[PRIORITIES];
	uint32_t levels; /* a bit for each that is not empty */
	unsigned n;
};

void ready_init(struct ready *);
/* Behind those of its priority, or in front of them. */
void ready_add(struct ready *, struct job *, bool first);
void ready_remove(struct ready *, struct job *);
/* Whose turn is next; NULL none. */
struct job *ready_first(const struct ready *);

#endif
