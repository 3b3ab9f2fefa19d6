/*
 * store.h - the accounts environment: Berkeley DB behind five verbs.
 *
 * One process opens it (a lock on the directory says so), one thread uses it,
 * and recovery runs at every start.  The tables are the t_*.c files; a row is
 * encoded with its field table (lib/record.h).
 *
 * Any error of the store but a deadlock ends the process: after a
 * failed log flush Berkeley DB goes on saying "done" to what a power cut will
 * take back, and only recovery at the next start finds the truth again.
 */
#ifndef AUTH_STORE_H
#define AUTH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "lib/record.h"

enum table {
	TABLE_META,
	TABLE_ACCOUNT,
	TABLE_INACTIVE,
	TABLE_CREDENTIAL,
	TABLE_GRANT,
	TABLE_KEY,
	TABLE_LOGINS,
	TABLE_DKIM,
	TABLE_LEGACY,
	TABLE_LIMITS,
	TABLE_USAGE,
	TABLE_KNOWN,
	TABLE_GUARD,
	TABLE_VERDICT,
	TABLE_IMPORT,
	TABLES
};

#define STORE_KEY_MAX (2 * ADDR_SIZE) /* bytes */
#define STORE_ROW_MAX 4096

/*
 * Open or make the environment DIRECTORY/env and recover it.  False, logged
 * (store.full): the disk has no room for that, and only another process may
 * try again.  fatal() when it fails otherwise: not a local file system, in use
 * by another process.  An older format is copied to DIRECTORY/before-upgrade-N
 * and then written anew, in one transaction; a newer one is told of with the
 * remedy, and ends the process (fatal_conf()).
 */
bool store_open(const char *directory);
/* Checkpoint and close.  Harmless when not open. */
void store_close(void);

/* While somebody copies the store no log file is removed. */
void store_keep_logs(bool);

/*
 * A copy of the store in the directory `to`, which is made or emptied first.
 * 0 or an errno, ENOSPC when there is not plenty of room for it.  Any thread,
 * if the logs are kept; rows may be written meanwhile.
 */
int store_copy(const char *to);

struct store_check {
	unsigned faults;
	char fault[300]; /* the first one, in words */
	uint64_t rows[TABLES];
};
/*
 * Verify a copy: its pages, that what rows refer to is there, and how many
 * there are.  The copy changes.  0, or an errno when there was no room for
 * that.  A page that was just being written when it was copied looks damaged:
 * a fault is one when it is in a second copy, too.  Any thread, one at a time.
 */
int store_check(const char *dir, struct store_check *);

struct txn;

enum durability {
	STORE_SYNC, /* on disk when store_txn() returns */
	STORE_SOON, /* survives kill -9 now, and a power cut after the next
		       STORE_SYNC */
};

/*
 * Run body in one transaction: committed when it returns true, aborted when
 * it returns false.  It may be run again after a deadlock, so it sets afresh
 * whatever it changes behind arg.
 *
 * V_OK: committed.  V_PERM: body said no.  V_TEMP: too little room on the
 * disk, nothing was changed; logged.
 */
enum verdict
store_txn(enum durability, bool (*body)(struct txn *, void *arg), void *arg);

/* A row; false when there is none.  txn is NULL outside of one.  A row that
 * cannot be decoded is fatal().  Bulk in it is borrowed until the next row is
 * read. */
bool store_get(struct txn *, enum table, struct bytes key, const struct field *,
    void *row, size_t row_size);
/* Write a row over what is there. */
void store_put(struct txn *, enum table, struct bytes key, const struct field *,
    const void *row);
/* False when there was none. */
bool store_del(struct txn *, enum table, struct bytes key);
/*
 * The first row whose key is greater than `after`, byte by byte; its key goes
 * to key[STORE_KEY_MAX], the length to *n.  row may be NULL.  False at the
 * end.  There is no cursor to keep: lists go on from the last key they saw.
 */
bool store_next(struct txn *, enum table, struct bytes after, uint8_t *key,
    size_t *n, const struct field *, void *row, size_t row_size);

/*
 * Write every row of a table anew, for a newer format: it is read with one
 * field table, changed by fix() (NULL: not at all) and written with the other.
 */
void store_rewrite(struct txn *, enum table, const struct field *from,
    const struct field *to, void *row, size_t row_size, void (*fix)(void *row));

/*
 * A key of two strings, the second behind the NUL of the first, so that the
 * rows of the first lie together.
 */
struct bytes
store_pair(uint8_t key[STORE_KEY_MAX], const char *a, const char *b);
/* The other way; false when it is none. */
bool store_unpair(const uint8_t *key, size_t n, char *a, size_t a_size, char *b,
    size_t b_size);

#endif
