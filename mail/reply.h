/*
 * reply.h - what another server answers (RFC 5321 4.2), collected within
 * bounds.
 */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/status.h"

#define REPLY_LINE_MAX  1000        /* octets of a line with its CRLF */
#define REPLY_BYTES_MAX (16 * 1024) /* octets of a reply */
#define REPLY_TEXT_MAX  1024        /* what is kept of its text, with NUL */

enum reply_result {
	REPLY_MORE, /* all input used, the reply goes on */
	REPLY_DONE, /* one whole reply */
	REPLY_BAD,  /* not SMTP; the connection is of no more use */
};

/*
 * Called for each line of a reply as it is complete: number counts from 0;
 * text is what stands behind the code and its separator, controls and 8-bit
 * bytes replaced, NUL-terminated, borrowed for the call.  For EHLO, number 0
 * is the greeting and each other line a keyword with its parameters.
 */
typedef void reply_line(void *arg, unsigned number, const char *text);

/*
 *   code    200 to 599; 0 before the first line is complete
 *   status  "x.y.z" from the start of the first line if it fits the code, or ""
 *   text    the lines joined by " / ", without the status, each control and
 *           8-bit byte a "?", cut to fit
 *   problem on REPLY_BAD what is wrong, for the log; otherwise NULL
 */
struct reply {
	int code;
	char status[STATUS_MAX];
	char text[REPLY_TEXT_MAX];
	size_t text_len;
	const char *problem;

	/* The collector's own. */
	reply_line *each;
	void *arg;
	unsigned lines;
	bool done;
	size_t bytes;
	size_t line_len;
	char line[REPLY_LINE_MAX];
};

/*
 * Begin a new reply.  each may be NULL; arg is handed to it.
 */
void reply_init(struct reply *, reply_line *each, void *arg);

/*
 * Read some of what the server sends.  However it is cut into calls, the
 * result is the same.
 *
 *   in, n  borrowed
 *   used   set: bytes taken; on REPLY_DONE up to and with the last CRLF, so
 *          what is behind is another reply, or an offence before TLS
 *
 * REPLY_BAD for a code outside 200 to 599, lines of different codes, another
 * separator than " " or "-", a lone CR or LF, a line or a reply over its
 * bound.  After REPLY_DONE and REPLY_BAD only reply_init() may follow.
 */
enum reply_result
reply_feed(struct reply *, const char *in, size_t n, size_t *used);

#endif
