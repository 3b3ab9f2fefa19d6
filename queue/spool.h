/*
 * spool.h - taking a message in, and letting it go.
 */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include "mail/trace.h"
#include "queue/body.h"
#include "queue/envelope.h"
#include "queue/group.h"
#include "queue/job.h"

/* Bodies kept in memory for deliver, so that they need not be read back. */
#define BODIES_IN_MEMORY ((size_t)32 << 20)

struct accept {
	struct change change;   /* the first member */
	uint64_t id;            /* from group_new_id() */
	struct message_row row; /* added, rcpts, jobs are set by spool_accept */
	struct envelope envelope; /* taken */
	struct body *body;        /* taken; NULL for BODY_FILE */
	char added[TRACE_MAX + ADDR_SIZE + 16];
	size_t added_len;
	uint8_t body_hash[BODY_HASH];
	size_t hash_len;  /* 0: not known */
	char detail[300]; /* for the journal */
	bool no_delay_notice;
	/* Called once, when and only when the message is safe.  May be
	 * NULL. */
	void (*safe)(struct accept *);
	/* The asker's. */
	unsigned smtpd;
	uint64_t serial, tag;
	struct permit permit; /* spent for it */
};

/* All zero but for the change's functions.  Never NULL. */
struct accept *accept_new(void);
/* Of one that spool_accept() has not taken. */
void accept_free(struct accept *);

/*
 * Take responsibility for a message (RFC 5321 6.1).  When safe() is called,
 * the message and all its jobs survive power loss, and only then may anyone
 * say 250.  A body in a file has been through bodyfile_keep() before.
 *
 *   a  taken
 */
void spool_accept(struct accept *a);

/* The journal's line of a message that was taken, with the time in wall
 * milliseconds. */
void spool_note_accepted(struct txn *, struct totals *, uint64_t id,
    const struct message_row *, uint64_t when, const char *detail);

/* Delete the rows of a message whose last job is gone; its journal line is
 * the caller's. */
void spool_forget(
    struct txn *, struct totals *, uint64_t id, struct body_at, uint64_t size);

#endif
