/*
 * data.h - the server's end of DATA: where it ends, and which dots go
 * (RFC 5321 4.1.1.4, 4.5.2); and that of BDAT (RFC 3030).
 *
 * Only CRLF ends a line and only a line that is a single dot ends the data.
 * Any other reading of a lone CR or LF is how one message becomes two on the
 * next server, so these are faults of the message, on every path; but the
 * reader goes on to the real end, so that the connection stays in step.
 */
#ifndef MAIL_DATA_H
#define MAIL_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum data_fault {
	DATA_CLEAN,
	DATA_BARE_CR,
	DATA_BARE_LF,
	DATA_NUL,
	DATA_LONG_LINE, /* over 998 octets (RFC 5322 2.1.1), passed unchanged */
};

enum data_result { DATA_MORE, DATA_END };

/*
 *   fault      the first one; a long line gives way to any of the others,
 *              so whoever tolerates long lines lets nothing else through
 *   eight_bit  a byte over 127 was seen
 *   size       octets of the message so far: dots removed, end not counted
 */
struct data_reader {
	uint64_t size;
	enum data_fault fault;
	bool eight_bit;
	unsigned char at; /* the reader's own: state */
	size_t line;      /* the reader's own: octets in this line */
};

void data_init(struct data_reader *);

/*
 * Read some of what the client sends.  Whatever way the bytes are cut into
 * calls, the result is the same.
 *
 *   in, n    borrowed
 *   used     set: n on DATA_MORE; on DATA_END the bytes up to and with the
 *            final CRLF, and what is behind is the next command
 *   out      room for n + 4 bytes; not overlapping in
 *   out_len  set: bytes of the message, CRLF line ends and dots removed
 *
 * After DATA_END every call uses nothing and says DATA_END again.
 */
enum data_result data_read(struct data_reader *, const char *in, size_t n,
    size_t *used, char *out, size_t *out_len);

/*
 * Judge some octets of a message whose end was announced, which are passed on
 * as they are: a dot means nothing there.
 *
 *   opaque  they are binary, and nothing is a fault
 */
void data_chunk(struct data_reader *, const char *in, size_t n, bool opaque);

/* It was all.  False when the last line has no CRLF. */
bool data_chunk_end(struct data_reader *);

#endif
