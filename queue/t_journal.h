/*
 * t_journal.h - what became of each message: (time, seq) -> event.
 *
 * Written in the transaction that makes the event true, never changed, and
 * deleted when it is older than the configuration keeps it.
 */
#ifndef QUEUE_T_JOURNAL_H
#define QUEUE_T_JOURNAL_H

#include "ipc/messages.h"
#include "queue/store.h"

/* Kept for ever in rows: append only. */
enum event_kind {
	EVENT_NONE,
	EVENT_ACCEPTED,
	EVENT_DELIVERED,
	EVENT_DEFERRED,
	EVENT_BOUNCED,
	EVENT_DROPPED, /* failed for good; nobody to tell */
	EVENT_DELAYED, /* the sender was told of the delay */
	EVENT_HELD,
	EVENT_RELEASED,
	EVENT_RETRIED,
	EVENT_REMOVED,
	EVENT_UNCERTAIN, /* it may have arrived; nobody can know */
	EVENT_GATHERED,  /* the failure is told in a digest, later */
	EVENT_KINDS
};

struct journal_row {
	uint64_t id;
	uint32_t event;          /* enum event_kind */
	uint32_t final;          /* the message left the queue with it */
	char rcpt[ADDR_SIZE];    /* the sender for EVENT_ACCEPTED */
	char account[ADDR_SIZE]; /* whose message it is; "" ours */
	char msgid[256];         /* EVENT_ACCEPTED */
	char detail[600];
};

/* seq is counted up; time in unix milliseconds. */
void t_journal_add(
    struct txn *, uint64_t time, uint64_t *seq, const struct journal_row *);

/* The events from (time, seq) on, until cb returns false. */
typedef bool t_journal_fn(
    void *arg, uint64_t time, uint64_t seq, const struct journal_row *);
bool t_journal_walk(uint64_t time, uint64_t seq, t_journal_fn *cb, void *arg);

/* One event; false when it is not there any more. */
bool t_journal_get(uint64_t time, uint64_t seq, struct journal_row *);

/* Delete at most `most` events from before `time`; returns how many. */
unsigned t_journal_prune(struct txn *, uint64_t time, unsigned most);

const char *event_name(uint32_t event);

#endif
