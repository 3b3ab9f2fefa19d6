/*
 * t_due.h - the schedule: (time, id, n) -> whose it is and where it goes.
 *
 * A job has one row here from acceptance on, while it waits, while it is
 * ready and while deliver carries it; the row's time is the job row's `due`.
 * It moves when an attempt is put off and goes with the job.  A held message
 * has none, so that what an admin holds costs nothing.
 *
 * The two hashes spare the reader of a long queue a look at the job's row
 * when the account is suspended or the destination can take no more.
 */
#ifndef QUEUE_T_DUE_H
#define QUEUE_T_DUE_H

#include "queue/store.h"

struct due_key {
	uint64_t time; /* unix milliseconds */
	uint64_t id;
	uint32_t n;
};

/* What the reader of the schedule must know ahead; kept in rows. */
enum due_mark {
	DUE_NOTICED = 1,  /* as in the job's row */
	DUE_DEADLINE = 2, /* the sender gave one (RFC 2852) */
};

struct due_row {
	uint64_t account; /* hash64() of the names */
	uint64_t domain;
	uint32_t marks; /* a set of enum due_mark */
};

void t_due_put(struct txn *, const struct due_key *, const struct due_row *);
bool t_due_del(struct txn *, const struct due_key *);

/* The rows from key on, until cb returns false; see store_walk(). */
typedef bool
t_due_fn(void *arg, const struct due_key *, const struct due_row *);
bool t_due_walk(const struct due_key *, t_due_fn *cb, void *arg);

/* Negative, 0, positive as a sorts before, with, behind b. */
int due_compare(const struct due_key *a, const struct due_key *b);

/* Rows have it, so it stays what it is. */
uint64_t hash64(const char *name);

#endif
