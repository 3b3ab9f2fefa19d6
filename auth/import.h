/*
 * import.h - rows that an operator brings from elsewhere, gathered and then
 * written: all of them or none, also in a crash.
 *
 * They come grouped: an account's own row before its credentials and grants.
 * What is malformed, or cannot be checked at a login, is found before
 * anything is written.  A million accounts are the most.
 */
#ifndef AUTH_IMPORT_H
#define AUTH_IMPORT_H

#include "auth/t_account.h"
#include "ipc/messages.h"

struct import;

struct import *import_new(void);
void import_free(struct import *);

/* One more row; one that is refused is kept to be told, and so is one of an
 * account that came before.  An account is called as accounts_name() says, and
 * may send as that too where it may send as the name; but one with a time of
 * its own (`created`) comes from a backup, and is called as it was. */
void import_add(struct import *, const struct msg_item *);

/*
 * What would become of the row at *at (0 first), which moves on: true with
 * the row in *row, false at the end.  Accounts and grants that stand alone are
 * told; what belongs to an account is not.  Last come those that
 * import_again() tells.
 *
 *   flags  enum import_flag
 */
bool import_look(
    struct import *, size_t *at, uint32_t flags, struct msg_import_row *row);

/* The n-th (0 first) of the first hundred rows of accounts that a row before
 * brings: they are left out, with all that is theirs.  *n moves on; false at
 * the end.  And how many there are. */
bool import_again(const struct import *, size_t *n, struct msg_import_row *row);
size_t import_nagain(const struct import *);

struct import_sum {
	uint64_t added, updated, existed, grants, left_out;
	struct msg_import_row refused; /* IMPORT_REFUSED: the row; action ""
					* when import_look() tells it */
};

enum import_result {
	IMPORT_DONE,
	IMPORT_REFUSED, /* see import_look(); nothing was written */
	IMPORT_NO_ROOM, /* the same, for the disk is full */
};

typedef void
import_done_fn(void *arg, enum import_result, const struct import_sum *);

/*
 * Write everything, between other work; then done(arg, ...) is called, once.
 * With IMPORT_DONE it is on disk, and neighbours know of states that have
 * changed.
 *
 *   im  borrowed until then
 *   by  who does it
 *
 * False, and nothing happens, when another import is under way.
 */
bool import_run(const struct import *im, uint32_t flags, const char *by,
    import_done_fn *done, void *arg);

/* Who asked is gone, and so may be the import: what is not decided yet comes
 * to nothing, and done() is not called. */
void import_leave(const void *arg);

/* The store is open: end what a crash has left half done. */
void import_recover(void);
void import_stop(void);

/* For import_run.c: the rows as they came, what is in the store, and whether
 * a certificate's key is another's, with the refusal in *row. */
bool import_next(const struct import *, size_t *at, struct msg_item *);
/* The same, still encoded and borrowed; and such a one decoded. */
bool
import_next_record(const struct import *, size_t *at, struct bytes *record);
void import_read(struct bytes record, struct msg_item *);
bool import_exists(struct txn *, const char *login, struct account *);
bool
import_taken(struct txn *, const struct msg_item *, struct msg_import_row *row);
/* That refusal: the key is owner's. */
void import_say_taken(
    const struct msg_item *, const char *owner, struct msg_import_row *row);
/* A row of it was refused. */
bool import_refused(const struct import *);

#endif
