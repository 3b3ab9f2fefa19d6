/*
 * t_job.h - one message x one destination domain: (id, n) -> recipients and
 * how far each got.
 *
 * Written at acceptance, again after each attempt that leaves somebody
 * waiting, deleted when nobody is.
 */
#ifndef QUEUE_T_JOB_H
#define QUEUE_T_JOB_H

#include "ipc/messages.h"
#include "queue/store.h"

/* The first byte of a packed recipient; kept for ever, append only. */
enum rcpt_state {
	RCPT_WAITING,
	RCPT_DELIVERED,
	RCPT_BOUNCED,
	RCPT_DROPPED, /* failed for good, and there is nobody to tell */
	RCPT_STATES
};

#define NO_ANSWER 0xff /* the second byte; else an index into answers */

struct job_row {
	char domain[256]; /* what all recipients share */
	uint32_t attempts;
	uint32_t noticed;   /* a delay notice was sent */
	uint64_t due;       /* unix ms: the job's row in the schedule; 0 none */
	struct bytes rcpts; /* packed: state, answer, an item of ipc/rcpt.h */
	struct bytes answers; /* packed answer_rows */
};

/* What a destination said, or what we say for it. */
struct answer_row {
	uint32_t code;
	char status[12];
	char mx[300];
	char tls[80]; /* words: protocol, cipher, policy, and perhaps
		       * "uncertain"; see answer_secured() */
	char text[512];
	uint64_t when; /* unix milliseconds */
};

#define JOB_ANSWERS_MAX (JOB_RCPTS * 960) /* bytes, packed */

void t_job_put(struct txn *, uint64_t id, uint32_t n, const struct job_row *);
/* Bulk fields borrow from buf[STORE_ROW_MAX].  False when there is none. */
bool t_job_get(
    struct txn *, uint64_t id, uint32_t n, struct job_row *, uint8_t *buf);
bool t_job_del(struct txn *, uint64_t id, uint32_t n);

/* The jobs from (id, n) on, until cb returns false; see store_walk(). */
typedef bool
t_job_fn(void *arg, uint64_t id, uint32_t n, const struct job_row *);
bool t_job_walk(struct txn *, uint64_t id, uint32_t n, t_job_fn *cb, void *arg);

/* Returns the length of the item in out[size]; 0 when it does not fit. */
size_t answer_pack(const struct answer_row *, uint8_t *out, size_t size);
bool answer_unpack(struct answer_row *, struct bytes item);

/* How the connection was secured, as in MSG_JOB_VERDICT, into one string and
 * back ("" what is not known). */
void answer_secured(struct answer_row *, const char *tls, const char *cipher,
    const char *policy);
/* The end of the message was sent and no answer came: it may have arrived. */
void answer_mark_uncertain(struct answer_row *);
struct secured {
	char tls[16], cipher[40], policy[16];
	bool uncertain;
};
struct secured answer_how(const struct answer_row *);

#endif
