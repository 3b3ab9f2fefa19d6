/*
 * commit.h - from a MSG_TX_COMMIT to the spool: everything is checked, the
 * header lines are composed, and the body is brought where it stays.
 */
#ifndef QUEUE_COMMIT_H
#define QUEUE_COMMIT_H

#include "queue/spool.h"
#include "queue/tx.h"

/* An answer that is not 250, as smtpd passes it on. */
struct reply {
	enum verdict verdict;
	unsigned code;
	const char *status, *text;
};

extern const struct reply reply_stopping, reply_no_room, reply_no_file,
    reply_too_large, reply_bad_request;

/* Each option in its range, and none that contradicts another.
 *
 *   flags  enum tx_flags */
bool commit_options_valid(uint32_t flags, const struct tx_options *);

typedef void commit_refuse_fn(struct accept *, const struct reply *);

/*
 * a->safe, a->smtpd, a->serial and a->tag are set by the caller; t is NULL
 * when nothing was said ahead.
 *
 * NULL: a is taken and on its way; later either a->safe is called, or refuse
 * is and a is freed.  Otherwise the answer to give; a is still the caller's.
 */
const struct reply *commit_take(struct accept *a, struct tx *t,
    const struct msg_tx_commit *, commit_refuse_fn *refuse);

#endif
