/*
 * store.h - the spool's Berkeley DB environment behind a narrow interface.
 *
 * One process owns it, and within that process one thread, the loop's, reads
 * and writes rows; so there is nothing to lock and nothing to deadlock with,
 * and the environment runs without the lock subsystem.  What may be called from
 * other threads says so, and touches the log and the cache only.
 *
 * After a failed log flush Berkeley DB lets the next commits "succeed" and
 * loses them with the power.  Therefore any error but "not found" ends the
 * process, nothing is answered any more, and the next start recovers.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table {
	T_META,    /* the totals */
	T_MESSAGE, /* id -> message_row */
	T_BODY,    /* id, chunk -> bytes */
	T_JOB,     /* id, n -> job_row */
	T_DUE,     /* time, id, n -> due_row: the schedule */
	T_JOURNAL, /* time, seq -> journal_row */
	T_DOMAIN,  /* name -> struct msg_domain: what is known of it */
	T_INDEX,   /* period, hash, time, seq -> more: into the journal */
	T_TLSRPT,  /* day, domain, n -> tlsrpt_row: for its report */
	T_DIGEST,  /* heap, seq -> digest_row: a failure to be told later */
	TABLES
};

#define STORE_KEY_MAX 256
#define STORE_ROW_MAX (192 * 1024) /* bytes in one row */

struct txn; /* NULL reads outside of a transaction */

enum store_opened { STORE_OPENED, STORE_NO_ROOM };

/*
 * The environment in the directory `home` (absolute, ours, mode 0700, made
 * when missing) is open, recovered and checkpointed.
 *
 *   cache_bytes  of memory for pages
 *   disk_bytes   that the file system has in all; a small one gets small
 *                log files and less room in advance
 *
 * STORE_NO_ROOM: recovery or set-up needs room that the file system does not
 * have.  Berkeley DB has most likely panicked, and what it keeps in this
 * process is not to be trusted any more: from now on no function of this file
 * may be called but store_close(), which does nothing.  Another process may
 * try.  All other failures end the process.
 */
enum store_opened
store_open(const char *home, uint64_t cache_bytes, uint64_t disk_bytes);

/* Checkpoint and close, if it is open.  No other thread may be inside. */
void store_close(void);

enum store_commit {
	COMMIT_MEMORY,  /* a store_flush() follows at once */
	COMMIT_WRITTEN, /* outlives the process, not yet the power */
};

/*
 * Run body in one transaction and commit it.  Afterwards its changes are
 * visible, and durable once a store_flush() that began later has returned.
 * The only begin and commit; nested calls are a bug.
 */
void
store_txn(void (*body)(struct txn *, void *arg), void *arg, enum store_commit);

/* Everything committed before the call survives power loss.  Any thread. */
void store_flush(void);

/*
 * Flushes beside a store_flush() that is under way, so that what is committed
 * meanwhile need not wait for its end.
 *
 * prepare: no flush is under way; where it fails, none is possible.
 * covers: whether a store_flush_beside() that begins now makes durable all
 * that is committed up to the last COMMIT_WRITTEN.  The loop's, both.
 */
#define STORE_BESIDE 3 /* at a time */
void store_beside_prepare(void);
bool store_beside_covers(void);
/* Any thread; one for each i < STORE_BESIDE at a time.  Failure ends the
 * process. */
void store_flush_beside(unsigned i);

/* Bring the tables up to the log.  Any thread. */
void store_checkpoint(void);

/*
 * Read a row into row[size]; its length into *len.  False when there is
 * none.  A row longer than size is our bug.
 */
bool store_get(struct txn *, enum table, const void *key, size_t key_len,
    void *row, size_t size, size_t *len);
/* Write a row over whatever was there. */
void store_put(struct txn *, enum table, const void *key, size_t key_len,
    const void *row, size_t len);
/* False when there was none. */
bool store_del(struct txn *, enum table, const void *key, size_t key_len);

/*
 * Call cb for the rows from key[key_len] on, in order, until it returns false
 * or the table ends.  key_len 0: from the first one.  Key and row are
 * borrowed.  cb may store_get() other rows, but neither write nor walk.
 * Returns whether cb stopped it.
 */
typedef bool store_row_fn(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *row, size_t len);
bool store_walk(struct txn *, enum table, const void *key, size_t key_len,
    store_row_fn *cb, void *arg);
/* Delete the first rows whose keys come before before[len], at most `most`;
 * how many. */
unsigned store_prune(
    struct txn *, enum table, const void *before, size_t len, unsigned most);

/*
 * Bytes kept in the log itself, where they would have to go in any case; they
 * are durable with the next store_flush(), and there until their part of the
 * log is removed.  Recovery passes them by.
 *
 *   id  must be given to read them again
 *
 * Returns their place, never 0.
 */
uint64_t store_log_put(uint64_t id, const void *data, size_t len);
/* The first n bytes of at least n; false when they are not there. */
bool store_log_get(uint64_t place, uint64_t id, void *data, size_t n);
/* The number of the log file that a place is in; they count up. */
uint32_t store_log_file(uint64_t place);

/* The last log file that recovery does not need any more; 0 none.  Any
 * thread. */
uint32_t store_log_unneeded(void);
/* Remove the log files up to this one, which is not needed: neither by
 * recovery nor for what was put there.  Any thread, but one at a time. */
void store_log_remove(uint32_t last);

/* What the disk will yet be asked for.  Any thread; walks the cache. */
struct store_debt {
	uint64_t dirty; /* bytes of pages to be written at a checkpoint */
	uint64_t log;   /* bytes of log since the last one */
};
void store_debt(struct store_debt *);

/*
 * A copy of the store in the directory `to`, which is made anew.  Rows may be
 * written meanwhile; log files are not removed.  0 or an errno, and then what
 * is there is of no use.  Any thread.
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
 * a fault is one when it is in a second copy, too.  Any thread; slow.
 */
int store_check(const char *dir, struct store_check *);

/* Copies and checks end as soon as they can, with any result, and no new one
 * looks at the store.  Any thread. */
void store_check_end(void);
bool store_check_ended(void);

/* Bytes that the log has grown by since the start, about; cheap. */
uint64_t store_written(void);
void store_count(uint64_t bytes);
/* Log flushes since the start that store_flush() made. */
uint64_t store_flushes(void);
/* Bytes of the tables' files and of the log. */
void store_sizes(uint64_t *tables, uint64_t *log);

/* Keys are big-endian, so that the order of bytes is the order of numbers. */
static inline void
key_u64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline void
key_u32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline uint64_t
key_get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | *p++;
	return v;
}

#endif
