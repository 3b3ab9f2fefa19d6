/*
 * link_parts.h - what the files link*.c share; for them only.
 */
#ifndef DELIVER_LINK_PARTS_H
#define DELIVER_LINK_PARTS_H

#include <stdint.h>
#include <sys/queue.h>

#include "deliver/link.h"
#include "deliver/talk.h"
#include "lib/io.h"
#include "mail/tlsrpt.h"

struct link {
	struct io io;
	struct talk talk;
	struct target target;
	char mx[TARGET_NAME];

	/* The errand: link.c. */
	struct job *job;
	link_done_fn *done;
	void *arg;
	struct link **slot;
	bool connected, dead;
	bool parting;      /* QUIT was answered, and the end has not come */
	unsigned progress; /* of the talk, when the timer was set */
	uint64_t ticket;   /* of a password asked for, or 0 */
	uint64_t signing;  /* ticket of a signature asked for, or 0 */
	struct timer late; /* connect() failed at once */
	int late_errno;
	TAILQ_ENTRY(link) entry; /* of dead */

	/* Between two jobs: link_keep.c. */
	struct kept kept;
	bool leaving; /* it says good-bye, and its berth becomes free */
	int64_t born_ms;
	unsigned reign;

	/* TLS: link_tls.c. */
	bool shaking;
	bool resuming; /* the handshake goes on with a session */
	bool noted;    /* how TLS went */
};

/* link.c */

/* The connection ends; the struct lives to the end of the loop's turn. */
void link_bury(struct link *);
/* It came to nothing: buried, and its job goes back. */
void link_give_up(
    struct link *, enum link_result, const char *status, const char *why);
void link_take_job(
    struct link *, struct job *, struct link **slot, link_done_fn *, void *arg);
/* Do what the talk wants, and give a finished job back. */
void link_turn(struct link *);

/* link_keep.c */

#define KEEP_MS 5000 /* that a connection rests */

/* A connection is about to be made for a job. */
void link_born(struct link *, const struct job *);
/* No job will come any more. */
void link_set_out(struct link *);
/* Nothing is under way: keep it for the next job, or end it. */
void link_rest(struct link *);
/* Say QUIT; it is kept no longer. */
void link_quit(struct link *);
/* Let go of the connection that rests longest; false when none does. */
bool link_drop_oldest(void);

/* link_tls.c */

/* Begin the handshake; once. */
void link_shake(struct link *);
/* It is done. */
void link_secured(struct link *);
/* It failed; why: in words of the socket.  The link gives up. */
void link_not_secured(struct link *, const char *why);
/* How TLS went, once for each connection; a trial is nobody's affair. */
void link_note_tls(struct link *, enum tlsrpt_result, const char *why);

#endif
