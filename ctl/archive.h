/*
 * archive.h - the file of a backup: what is in it, writing it, and reading it
 * with nothing believed.
 *
 *   accounts.jsonl         one account a line, as "account export" has it
 *   dkim.jsonl             one key a line, with its secret
 *   spool/ID.eml           a message that waits: added header lines and body
 *   spool/messages.jsonl   its envelope, one message a line (row.h)
 *   journal.jsonl          events, when asked for
 *   postern.conf, tls/...  as they were
 *   manifest.json          format, host, time, counts
 *   SHA256SUMS             of all of these, in their order; the last member
 *
 * Only the order of the last two, and of spool/, means something: ids go up,
 * and lines and files go together.
 */
#ifndef CTL_ARCHIVE_H
#define CTL_ARCHIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/tar.h"
#include "lib/sha256.h"

#define ARCHIVE_FORMAT 1 /* counts up when an older reader would be wrong */

#define ARCHIVE_ACCOUNTS "accounts.jsonl"
#define ARCHIVE_DKIM     "dkim.jsonl"
#define ARCHIVE_MESSAGES "spool/messages.jsonl"
#define ARCHIVE_JOURNAL  "journal.jsonl"
#define ARCHIVE_CONF     "postern.conf"
#define ARCHIVE_MANIFEST "manifest.json"
#define ARCHIVE_SUMS     "SHA256SUMS"

struct archive_writer {
	const char *name; /* of the file; borrowed */
	char part[4096];  /* while it is being written */
	FILE *file;
	uint64_t time;
	uint64_t written; /* bytes */
	/* The member under way. */
	struct tar_member member;
	uint64_t left;
	struct sha256 *sum;
	FILE *sums;  /* lines of SHA256SUMS */
	bool failed; /* said on stderr */
};

/*
 * Begin a file that nobody else may read.  CODE_OK, or the reason is on
 * stderr: CODE_EXISTS when it is there.  archive_drop() is harmless in any
 * case.  After a failure the other calls do nothing.
 */
int archive_create(struct archive_writer *, const char *name);

/* A member of that size; all of its bytes; its end. */
void archive_begin(struct archive_writer *, const char *name, uint64_t size);
void archive_data(struct archive_writer *, const void *, size_t);
void archive_end(struct archive_writer *);
/* A member of what is in an open file, from its beginning. */
void archive_add(struct archive_writer *, const char *name, FILE *);
/* A place to gather a member whose size is not known yet. */
FILE *archive_spill(struct archive_writer *);

/* SHA256SUMS and the end: the file is there, whole and durable, under its
 * name, or CODE_TEMP with the reason on stderr. */
int archive_finish(struct archive_writer *);
void archive_drop(struct archive_writer *);

struct archive_mail {
	uint64_t id;
	uint64_t at, size;
};

struct archive {
	const char *name; /* borrowed */
	FILE *file;
	uint64_t size;
	uint64_t members;
	/* Where the lines are; size 0 none. */
	struct archive_lines {
		uint64_t at, size;
	} accounts, dkim, messages, journal, manifest;
	struct archive_mail *mail; /* ids go up */
	size_t nmail, mail_room;
	json_t *about; /* manifest.json */
	char error[400];
};

/*
 * Open a file and read all of it: every digest is right and every byte is
 * where it would have been written.  CODE_OK; CODE_NO with the reason in
 * a->error; or another, said on stderr.  archive_close() is harmless in any
 * case.
 */
int archive_open(struct archive *, const char *name);
void archive_close(struct archive *);

/* A count of the manifest; 0 when it has none. */
uint64_t archive_count(const struct archive *, const char *key);

/*
 * Call fn for each line, without its end, until it returns false; whether it
 * never did, and all could be read.  With a reason in a->error if fn has not
 * set one.
 */
typedef bool archive_line_fn(void *arg, const char *line, size_t len);
bool archive_each(struct archive *, const struct archive_lines *,
    const char *what, archive_line_fn *, void *arg);

/* n bytes from an offset of the file; false at an error. */
bool archive_read(struct archive *, uint64_t at, void *, size_t n);

#endif
