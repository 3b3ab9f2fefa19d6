/*
 * t_digest.h - what waits to be told together: (heap, seq) -> one recipient
 * that failed, what it answered, and whose message it was; or one account that
 * the guard froze.
 *
 * A heap is what goes into the same digests: its number is a hash of whom
 * they go to, seq the journal's number of the event.  Written with that event,
 * deleted with the digest.
 *
 * Of a frozen account address is its name, answer has when and why, account is
 * "" and id 0; seq is an id (group_new_id()).
 */
#ifndef QUEUE_T_DIGEST_H
#define QUEUE_T_DIGEST_H

#include "ipc/rcpt.h"
#include "queue/t_job.h"

struct digest_key {
	uint64_t heap, seq;
};

struct digest_row {
	char sender[ADDR_SIZE]; /* who is told */
	char account[ADDR_SIZE];
	uint32_t flags;   /* of enum tx_flags, those that a notice has, too */
	uint64_t due;     /* unix ms */
	uint64_t id;      /* of the message, or 0 */
	uint64_t arrived; /* unix ms */
	char msgid[256], envid[101];
	char address[ADDR_SIZE], orcpt[ORCPT_SIZE];
	struct answer_row answer; /* status "" none */
};

void t_digest_put(
    struct txn *, const struct digest_key *, const struct digest_row *);
void t_digest_del(struct txn *, const struct digest_key *);

/* The rows from this one on, until cb returns false; see store_walk(). */
typedef bool
t_digest_fn(void *arg, const struct digest_key *, const struct digest_row *);
void t_digest_walk(const struct digest_key *, t_digest_fn *cb, void *arg);

#endif
