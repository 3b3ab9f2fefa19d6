/*
 * byhand.h - what an operator does to messages: retry, hold, release, remove.
 */
#ifndef QUEUE_BYHAND_H
#define QUEUE_BYHAND_H

#include "ipc/messages.h"
#include "queue/group.h"

#define BYHAND_SLICE 32 /* messages in one change */

struct byhand {
	struct change change; /* the first member; durable is the caller's */
	enum queue_verb verb; /* QUEUE_RETRY to QUEUE_REMOVE */
	char by[128];
	char domain[256]; /* "": all jobs of the messages */
	bool named;       /* by their ids, not as many as fit */
	unsigned n;
	uint64_t ids[BYHAND_SLICE];
	/* Afterwards. */
	unsigned changed; /* messages */
	unsigned nfiles;
	uint64_t files[BYHAND_SLICE]; /* bodies to remove when it is durable */
};

/*
 * Do it, to messages and jobs in the store and in memory alike; committed
 * when this returns, durable when b->change.durable is called.
 *
 * Retry and remove with a domain concern the jobs for that domain, hold and
 * release always the whole message.  A held message is not retried, nor one
 * that its sender has held until later (RFC 4865): release lets that go now,
 * but only when it is named.
 */
void byhand_do(struct byhand *b);

#endif
