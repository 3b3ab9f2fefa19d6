/*
 * import.h - rows that an operator brings from elsewhere, gathered and then
 * written in one transaction: all of them or none.
 *
 * They come grouped: an account's own row before its credentials and grants.
 * What is malformed, or cannot be checked at a login, is found before
 * anything is written.  A million accounts are the most.
 */
#ifndef AUTH_IMPORT_H
#define AUTH_IMPORT_H

#include "ipc/messages.h"

struct import;

struct import *import_new(void);
void import_free(struct import *);

/* One more row; one that is refused is kept to be told. */
void import_add(struct import *, const struct msg_item *);

/*
 * What would become of the row at *at (0 first), which moves on: true with
 * the row in *row, false at the end.  Accounts and grants that stand alone are
 * told; what belongs to an account is not.
 *
 *   flags  enum import_flag
 */
bool import_look(
    struct import *, size_t *at, uint32_t flags, struct msg_import_row *row);

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

/*
 * Write everything.  Afterwards it is on disk, and neighbours know of states
 * that have changed.
 *
 *   by   who did it
 *   sum  set when done
 */
enum import_result import_run(
    struct import *, uint32_t flags, const char *by, struct import_sum *sum);

#endif
