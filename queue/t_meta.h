/*
 * t_meta.h - the totals: what must go on counting over restarts.
 *
 * One row, rewritten in every transaction that changes it, so that it agrees
 * with the other tables after any crash.
 */
#ifndef QUEUE_T_META_H
#define QUEUE_T_META_H

#include "queue/store.h"

struct totals {
	uint64_t last_id;     /* the highest id ever given to a message */
	uint64_t journal_seq; /* of the last event */
	uint64_t log_from;    /* no lower id has its body in the log */
	uint64_t messages;    /* in the queue */
	uint64_t waiting;     /* recipients without a final verdict */
	uint64_t accepted;    /* messages, ever */
	uint64_t delivered;   /* recipients, ever */
	uint64_t bounced;
};

/* A new store gets the number of our format; one of another format is told of
 * with the remedy, and ends the process (fatal_conf()). */
void t_meta_check_format(void);

/* A random key that stays what it is while the store lives; made here when it
 * has none. */
void t_meta_seal_key(uint64_t seal[2]);

/* All zero when there is no row yet. */
void t_meta_get(struct totals *);
void t_meta_put(struct txn *, const struct totals *);

#endif
