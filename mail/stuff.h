/*
 * stuff.h - the client's end of DATA: dots added, end written (RFC 5321
 * 4.5.2).
 *
 * A lone CR or LF and a NUL never leave: each becomes a space, because a
 * line end made in its place would be a line that the sender, and a
 * signature, never saw.
 */
#ifndef MAIL_STUFF_H
#define MAIL_STUFF_H

#include <stdbool.h>
#include <stddef.h>

struct stuffer {
	bool line_start; /* the next byte begins a line */
	bool cr;         /* a CR is held back until its LF comes */
};

/* Room for the output of n bytes of input. */
#define STUFF_ROOM(n) ((n) + (n) / 3 + 4)

/* Room for the end of the data. */
#define STUFF_END 8

void stuff_init(struct stuffer *);

/*
 * Encode some of a message.  However it is cut into calls, the output is the
 * same.
 *
 *   in, n  borrowed
 *   out    STUFF_ROOM(n) bytes; not overlapping in
 *
 * Returns the number of bytes written.
 */
size_t stuff_write(struct stuffer *, const char *in, size_t n, char *out);

/*
 * End the data: finish the last line if it has no CRLF, then ".CRLF".
 * Returns the number of bytes written.
 */
size_t stuff_end(struct stuffer *, char out[STUFF_END]);

#endif
