/*
 * qp.h - the quoted-printable encoder (RFC 2045 6.7) for text with CRLF line
 * ends.
 *
 * Lines have 76 characters at most.  A line that a soft break begins never
 * starts with "-" or ".", so breaking a long line cannot make a boundary
 * that was not there.
 */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include <stdbool.h>
#include <stddef.h>

struct qp {
	unsigned char column;
	char blank; /* held back: it is encoded at the end of a line */
	bool cr;    /* held back until its LF comes */
	bool soft;  /* this line was begun by a soft break */
};

/* Room for the output of n bytes of input. */
#define QP_ROOM(n) ((n)*4 + 16)

/* Room for what qp_end() writes. */
#define QP_END 16

void qp_init(struct qp *);

/*
 * Encode some text.  However it is cut into calls, the output is the same.
 * A CR or LF that is not part of a CRLF is encoded.  Returns the number of
 * bytes written.
 */
size_t qp_write(struct qp *, const char *in, size_t n, char *out);

/* Write what is held back; no line end is added.  Returns the length. */
size_t qp_end(struct qp *, char out[QP_END]);

#endif
