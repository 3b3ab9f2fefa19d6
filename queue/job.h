/*
 * job.h - the jobs that are in memory, and the letters they belong to.
 *
 * A letter is a message of which a job is in memory; it lives as long as the
 * last of them.  Of a long queue only the jobs due now are here, and of those
 * a bounded number; the rest are rows.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include <sys/queue.h>
#include <uthash.h>

#include "ipc/rcpt.h"
#include "queue/body.h"
#include "queue/t_body.h"
#include "queue/t_due.h"
#include "queue/t_job.h"
#include "queue/t_message.h"

struct flow;
struct bundle;

struct letter {
	uint64_t id;
	char *account, *sender, *msgid; /* its own */
	struct bytes added;             /* its own */
	uint8_t body_hash[BODY_HASH];
	size_t hash_len; /* 0: not known */
	uint32_t flags;
	uint64_t size;
	struct body_at at; /* its bytes */
	uint64_t accepted; /* as in the message's row */
	uint64_t begun; /* when its sender let it go: what is late, and when to
			 * give up, counts from here */
	struct tx_options options;
	struct body *body; /* NULL: read it from the store */
	/* As in the message's row. */
	uint32_t left; /* jobs */
	uint32_t delivered, bounced, dropped;
	bool held;
	unsigned jobs;     /* in memory */
	unsigned gathered; /* outcomes that wait for the next transaction */
	bool ahead;        /* of its row, within one */
	UT_hash_handle hh;
};

enum job_state {
	JOB_NEW,      /* accepted, not yet durable */
	JOB_READY,    /* in its flow, to be sent when its turn comes */
	JOB_FLYING,   /* with deliver */
	JOB_SETTLING, /* its outcome is on the way into the store */
};

struct rcpt {
	uint8_t state;       /* enum rcpt_state */
	uint8_t answer;      /* index into the job's answers, or NO_ANSWER */
	uint8_t verdict;     /* of this flight: enum verdict, or NO_VERDICT */
	uint8_t event;       /* enum event_kind: what this outcome is to it */
	uint8_t notify;      /* enum rcpt_notify */
	uint8_t relayed;     /* of this flight: enum relayed */
	bool uncertain;      /* of this flight: and yet it may have arrived */
	bool grey;           /* of this flight: it looks like greylisting */
	bool tell;           /* and the sender must hear of it */
	const char *address; /* the job's own */
	const char *orcpt;   /* the job's own; "" none */
};

#define NO_VERDICT 0xff

struct job_key {
	uint64_t id;
	uint64_t n;
};

struct job {
	struct job_key key;
	enum job_state state;
	struct letter *letter;
	struct flow *flow;
	TAILQ_ENTRY(job) link; /* of its flow, while ready */
	UT_hash_handle hh;
	UT_hash_handle hh_tag;
	uint64_t tag; /* while flying */
	uint64_t due; /* its row in the schedule; 0 none */
	uint32_t attempts;
	bool noticed;          /* a delay notice was sent */
	uint32_t epoch;        /* of its flight, see pace.h */
	struct bundle *bundle; /* with whom it flies; NULL alone */
	bool probe;            /* others wait for what it finds */
	bool removed;          /* by an admin, while it was new or flying */
	const char *domain;
	uint8_t *answers; /* packed answer_rows */
	size_t answers_len;
	unsigned nanswers;
	unsigned nrcpts;
	struct rcpt rcpts[];
};

/* NULL when none of its jobs are in memory. */
struct letter *letter_find(uint64_t id);
/* A new letter without jobs; taken by the first job_new(). */
struct letter *letter_new(uint64_t id, const struct message_row *);

/* NULL when it is not in memory. */
struct job *job_find(uint64_t id, uint32_t n);
/* A job in memory, JOB_NEW, in no flow.  row borrowed. */
struct job *job_new(struct letter *, uint32_t n, const struct job_row *);
/* Read a job, and its letter if need be, from the store; NULL when a row is
 * missing. */
struct job *job_load(uint64_t id, uint32_t n);
/* Out of memory with it, and with its letter if it was the last.  It is in no
 * flow. */
void job_free(struct job *);
/* How many are in memory. */
unsigned job_count(void);

/* Recipients without a final verdict. */
unsigned job_waiting(const struct job *);
struct due_key job_due_key(const struct job *);
struct due_row job_due_row(const struct job *);

/* Keep an answer; returns its index. */
uint8_t job_add_answer(struct job *, const struct answer_row *);
/* False when i is NO_ANSWER. */
bool job_answer(const struct job *, uint8_t i, struct answer_row *);

/* The job as a row; bulk fields borrow from a static buffer.  Answers that
 * nobody refers to any more are left out. */
void job_row(const struct job *, struct job_row *);

/* The packed form of recipients in a row: returns the new length of out. */
size_t job_pack_rcpt(uint8_t *out, size_t size, size_t len, enum rcpt_state,
    uint8_t answer, struct bytes item);

/* Does its sender want to be told?  What nobody said is FAILURE and DELAY. */
bool rcpt_wants(const struct rcpt *, enum rcpt_notify);
/* The same of an item. */
bool rcpt_item_wants(struct bytes item, enum rcpt_notify);

/* When the sender lets a message go (RFC 4865): then, or at once. */
uint64_t letter_begun(uint64_t accepted, const struct tx_options *);
/* It waits for its release now. */
bool letter_waits(const struct message_row *, uint64_t now);
/* What came in the future, by more than an hour, came now, and its times are
 * as far away as they were; false: it did not.  Wall milliseconds. */
bool letter_put_back(uint64_t *accepted, struct tx_options *, uint64_t now);

#endif
