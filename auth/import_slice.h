/*
 * import_slice.h - a slice of an import, out of where it was put aside and
 * into the tables; for import_run.c.
 */
#ifndef AUTH_IMPORT_SLICE_H
#define AUTH_IMPORT_SLICE_H

#include "auth/import.h"
#include "auth/t_import.h"
#include "lib/buf.h"

struct import_slice {
	struct import_head head; /* in */
	struct import_sum sum;
	char account[ADDR_SIZE]; /* whose rows come */
	char last[ADDR_SIZE];    /* whose row was the last one */
	bool skip;               /* it is there and is left alone */
	bool more;               /* it was not the last one */
	uint8_t pack[IMPORT_PACK];
	struct buf touched;  /* logins, with NULs, that have changed */
	struct buf changed;  /* the same, whose state is news */
	struct buf replaced; /* the same, whose credentials are others now */
};

/*
 * Apply what comes next, in a transaction (store_txn()).
 *
 *   slice  a struct import_slice, zero but for its head; its buffers are
 *          released by whoever has it
 */
bool import_slice_apply(struct txn *, void *slice);

#endif
