/*
 * t_index.h - where the journal has something about a message, a Message-ID,
 * an account or an address: (period, hash, time, seq of an event) -> (time,
 * seq) of the events behind it.
 *
 * Periods of four hours come first in the key, so that what is written now
 * lies together and what is old goes together; a search looks into each of
 * the periods it concerns.  Hashes may meet: whoever follows an entry to its
 * event looks whether it is meant.
 */
#ifndef QUEUE_T_INDEX_H
#define QUEUE_T_INDEX_H

#include "queue/store.h"

#define INDEX_PERIOD_MS ((uint64_t)4 * 3600 * 1000)
#define INDEX_ROW       64 /* events in a row */

struct index_key {
	uint32_t period; /* of the event's time */
	uint64_t hash;   /* index_hash() */
	uint64_t time;   /* of the event, in the journal */
	uint64_t seq;
};

enum index_kind { INDEX_ID, INDEX_MSGID, INDEX_ACCOUNT, INDEX_ADDRESS };

/* Rows have it, so it stays what it is. */
uint64_t index_hash(enum index_kind, const void *name, size_t n);
uint32_t index_period(uint64_t time);

/* How many of these have the period and the hash of the first, that is, how many
 * the next row takes: INDEX_ROW at most. */
size_t t_index_span(const struct index_key *, size_t n);
/* Rows of these, which are in order.  One that is there and begins with the same
 * event gives way. */
void t_index_put(struct txn *, const struct index_key *, size_t n);

/* The order: by period, hash and event (qsort()). */
int index_compare(const void *, const void *);

/* The events of one hash in one period, rows by the time of their first event,
 * until cb returns false. */
typedef bool t_index_fn(void *arg, uint64_t time, uint64_t seq);
void t_index_walk(uint32_t period, uint64_t hash, t_index_fn *cb, void *arg);

/* Delete at most `most` rows of periods before this one; how many. */
unsigned t_index_prune(struct txn *, uint32_t period, unsigned most);

/* Up to which event of the journal the index reaches; (0, 0) none. */
void t_index_mark_put(struct txn *, uint64_t time, uint64_t seq);
void t_index_mark_get(uint64_t *time, uint64_t *seq);

#endif
