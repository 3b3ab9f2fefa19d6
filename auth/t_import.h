/*
 * t_import.h - table import: number -> rows of an import under way, as many as
 * fit into a page.
 *
 * Row 0 says that all the others are there and are to be applied, also by
 * another process after a crash; without it they are to be forgotten.  Each
 * is deleted in the transaction that applies it.
 */
#ifndef AUTH_T_IMPORT_H
#define AUTH_T_IMPORT_H

#include "auth/store.h"

struct import_head {
	char by[128];
	uint32_t flags; /* enum import_flag */
	uint64_t now;   /* unix seconds */
};

/* False when nothing is to be applied. */
bool import_head_get(struct txn *, struct import_head *);
/* Overwrites. */
void import_head_put(struct txn *, const struct import_head *);
void import_head_del(struct txn *);

/* Bytes of a pack: a list (record.h) of encoded struct msg_item. */
#define IMPORT_PACK 4000

/* Overwrites; n is not 0. */
void import_pack_put(struct txn *, uint64_t n, struct bytes pack);
/* The pack that comes next behind *n, which is replaced; 0 starts.  Borrowed
 * until the next row is read. */
bool import_pack_next(struct txn *, uint64_t *n, struct bytes *pack);
void import_pack_del(struct txn *, uint64_t n);

#endif
