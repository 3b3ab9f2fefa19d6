/*
 * job.h - one errand of the queue: a message for recipients who share a way,
 * in one transaction.  Every recipient ends with exactly one outcome, and each
 * outcome is told exactly once.
 *
 * The parts of it are what the queue calls jobs: one as a rule, and several of
 * different domains when a route takes them to the same server.
 */
#ifndef DELIVER_JOB_H
#define DELIVER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/berths.h"
#include "deliver/letter.h"
#include "deliver/outcome.h"
#include "ipc/messages.h"

/* What a trial finds out on its way (trial.h). */
struct finding {
	unsigned offers;          /* enum offer, after TLS */
	uint64_t size_limit;      /* 0 unknown */
	char certificate[160];    /* what is wrong with it, or "" */
	char tls[16], cipher[40]; /* as in an outcome */
};

struct part {
	uint64_t tag;  /* of the queue */
	uint32_t n;    /* of the job within the message, to the queue */
	uint64_t seal; /* of both, for the mark */
	uint32_t attempt;
	const char *domain;
	unsigned first, nrcpts; /* its recipients among all */
	unsigned untold;        /* of those, whose outcomes were not told */
	unsigned mark;          /* see mark.h; 0 none */
};

struct job {
	uint64_t id;      /* of the message */
	char domain[256]; /* of the first part */
	struct part *parts;
	unsigned nparts;
	struct berths *berths; /* of its destination; NULL no limit */
	bool probe, contact;   /* the queue wants to hear of it; it was there */
	unsigned signs;        /* of servers that were asked, see enum sign */
	char site[SITE_SIZE];  /* see search_site() */
	const char *account;   /* "" postern itself */
	const char *sender;    /* "" is the null path */
	uint32_t flags;        /* enum tx_flags */
	struct tx_options options;
	struct letter letter;
	unsigned nrcpts;
	unsigned open; /* recipients without an outcome */
	const char *rcpts[JOB_RCPTS];
	const char *orcpt[JOB_RCPTS]; /* "" none */
	uint8_t notify[JOB_RCPTS];    /* enum rcpt_notify */
	uint8_t fate[JOB_RCPTS];  /* index of an outcome, or OPEN, or TOLD */
	struct outcome *outcomes; /* not told yet */
	unsigned noutcomes;
	char *text; /* what the strings and the message borrow from */
	/* Not NULL: nothing is sent after RCPT, whose answers are the outcomes;
	 * no outcome is told to the queue. */
	struct finding *trial;
};

/*
 * Copy a MSG_JOB.  Takes fd.  A message that breaks its contract ends the
 * process: the neighbour is not what it was.
 */
struct job *job_new(const struct msg *, int fd);
void job_free(struct job *);

/* No recipient has an outcome. */
void job_reopen(struct job *);
/* Has this recipient no outcome yet? */
bool job_open(const struct job *, unsigned rcpt);
/* Give one open recipient, or all of them, an outcome (copied). */
void job_settle(struct job *, unsigned rcpt, const struct outcome *);
void job_settle_part(struct job *, const struct part *, const struct outcome *);
void job_settle_rest(struct job *, const struct outcome *);

/*
 * Hand every outcome that was not told to `tell` as MSG_JOB_VERDICTs, one for
 * each part; the one after which no recipient of a part is left says so.
 */
typedef void job_tell_fn(void *arg, const struct part *, const struct msg *);
void job_report(struct job *, job_tell_fn *tell, void *arg);

#endif
