/*
 * letter.h - the message that a job carries, read in pieces.
 *
 * It is the header lines that the queue added, followed by the body, which
 * lies in memory or in a file.
 */
#ifndef DELIVER_LETTER_H
#define DELIVER_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/record.h"
#include "lib/sha256.h"
#include "mail/downgrade.h"
#include "mail/stuff.h"

/* Borrows everything; fd is -1 when the body is in memory. */
struct letter {
	struct bytes added, body;
	int fd;
	uint64_t file_size; /* of the body in fd */
	bool eight_bit;
	bool has_hash;
	uint8_t body_hash[SHA256_SIZE]; /* as DKIM hashes it */
};

/* Bytes of the whole message. */
uint64_t letter_size(const struct letter *);

/* One reading of it, dot-stuffed on the way out unless it is raw. */
struct reading {
	const struct letter *letter;
	struct downgrade *converted; /* NULL: as it is */
	unsigned what;               /* reading_downgrade() was to do, or 0 */
	bool raw; /* every byte as it is and no end behind: for BDAT */
	uint64_t at;
	struct stuffer stuffer;
	char *head; /* lines in front of the message; its own */
	size_t head_len;
	bool head_said;
};

enum reading_result {
	READING_MORE,
	READING_DONE,
	READING_FAILED, /* the file could not be read; logged */
};

void reading_init(struct reading *, const struct letter *);
void reading_clear(struct reading *);

/*
 * Make this reading 7-bit, or lines of text: `what` is a set of enum
 * downgrade_what.  The message is read once now; results as downgrade_plan()
 * has them.  `problem` is set on DOWNGRADE_CANNOT.
 */
enum downgrade_result
reading_downgrade(struct reading *, unsigned what, const char **problem);

/*
 * Read what the next server will get, without the lines of reading_put(), for
 * a signature.  The reading, which has not begun, stands at its beginning
 * again.
 *
 *   header     taken from the message: with its empty line
 *   body_hash  set: SHA-256 of the body (RFC 6376 3.7, relaxed)
 *
 * False when the message could not be read; logged.
 */
bool reading_scan(
    struct reading *, struct buf *header, uint8_t body_hash[SHA256_SIZE]);

/* Put lines in front of the message; copied. */
void reading_put(struct reading *, const char *lines);

/* Bytes that it gives, stuffing aside; 0 when that is not known. */
uint64_t reading_size(const struct reading *);

/*
 * Append a piece of about 64 KiB to out, or all that is left.  After
 * READING_DONE the end of the data stands in out as well, if it has one.
 */
enum reading_result reading_next(struct reading *, struct buf *out);

#endif
