/*
 * tx.h - what an smtpd has said of a transaction ahead of its commit.
 *
 * Bounded for each smtpd in number, bytes and files: a hijacked one that only
 * ever begins transactions gets no further.
 */
#ifndef QUEUE_TX_H
#define QUEUE_TX_H

#include <stdbool.h>
#include <uthash.h>

#include "ipc/messages.h"

struct tx_key {
	uint64_t smtpd; /* its index */
	uint64_t tag;
};

struct tx {
	struct tx_key key;
	uint8_t *rcpts; /* packed */
	size_t rcpts_len;
	bool too_many; /* recipients: the commit is refused */
	int fd;        /* of the file lent, or -1 */
	uint64_t id;   /* of the file lent */
	UT_hash_handle hh;
};

/* NULL when nothing has been said. */
struct tx *tx_find(unsigned smtpd, uint64_t tag);
/* Begins one when there is none.  Over the bound is a breach: fatal. */
struct tx *tx_begin(unsigned smtpd, uint64_t tag);

void tx_add_rcpts(struct tx *, struct bytes packed);
/* Lend a file: its descriptor is t->fd.  0, or an errno: EMFILE over the
 * bound, EEXIST when it has one. */
int tx_lend(struct tx *);
/* The file is the caller's now, and what was lent is returned. */
int tx_take_file(struct tx *);

/* Forget it; a file that was not taken is removed.  NULL is fine. */
void tx_drop(struct tx *);
void tx_drop_all(unsigned smtpd);

#endif
