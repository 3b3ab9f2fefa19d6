/*
 * downgrade.h - an 8-bit message for a server without 8BITMIME (RFC 6152 3),
 * a binary one for a server without BINARYMIME (RFC 3030 3).
 *
 * Parts that hold 8-bit bytes, or are not lines of text, are encoded (text
 * as quoted-printable, others as base64) and labelled so; everything else
 * passes byte for byte.  It
 * takes two readings of the message: the first decides whether it can be
 * done before anything is promised to the other server, the second is the
 * conversion, pulled in pieces.  Memory is bounded whatever the message.
 */
#ifndef MAIL_DOWNGRADE_H
#define MAIL_DOWNGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mail/base64.h"
#include "mail/qp.h"

enum {
	DOWNGRADE_EDITS_MAX = 512, /* places changed in one message */
	DOWNGRADE_OUT_MIN = 512,   /* smallest buffer for downgrade_read() */
};

/* What the other server does not take; a set. */
enum downgrade_what {
	DOWNGRADE_8BIT = 1,
	/* A CR or LF that is not part of a CRLF, NUL, lines over 998 octets,
	 * and the label "binary". */
	DOWNGRADE_BINARY = 2,
};

/*
 * Read up to n bytes of the message at an offset, like pread(2): the number
 * of bytes, 0 at the end, -1 on an error.  The message must not change
 * between the calls.
 */
typedef ssize_t
downgrade_source(void *arg, uint64_t offset, char *out, size_t n);

enum downgrade_result {
	DOWNGRADE_NONE,   /* it is fit already: send it as it is */
	DOWNGRADE_READY,  /* downgrade_read() gives the form to send */
	DOWNGRADE_CANNOT, /* bounce it with 5.6.3; see problem */
	DOWNGRADE_ERROR,  /* the source failed; try later */
};

struct downgrade_edit {
	uint64_t at, end;   /* these bytes of the original ... */
	unsigned char what; /* ... become this */
};

/*
 *   problem  on DOWNGRADE_CANNOT why, in a few words, for the bounce
 *
 * About 25 KiB; the rest of it is the converter's own.
 */
struct downgrade {
	const char *problem;
	unsigned what;
	downgrade_source *source;
	void *arg;
	uint64_t offset;
	unsigned nedits, edit;
	bool inside; /* in the encoded stretch of edits[edit] */
	struct base64_mime base64;
	struct qp qp;
	struct downgrade_edit edits[DOWNGRADE_EDITS_MAX];
	char in[8192];
};

/*
 * Read the whole message and decide.
 *
 *   what         a set of enum downgrade_what, one at least
 *   source, arg  kept until the last downgrade_read()
 *
 * What cannot be converted: such bytes in a header, in multipart/signed or
 * multipart/encrypted, beside the parts of a multipart, in a message/ type
 * other than rfc822 and the global ones of RFC 6532 and RFC 6533, in a part
 * that claims to be encoded already; a multipart with such bytes and no usable
 * boundary; nesting over 32, or more than DOWNGRADE_EDITS_MAX places to
 * change.
 */
enum downgrade_result downgrade_plan(
    struct downgrade *, unsigned what, downgrade_source *source, void *arg);

/*
 * The next bytes of the converted message, after DOWNGRADE_READY.
 *
 *   out, size  DOWNGRADE_OUT_MIN bytes at least
 *
 * Returns how many, 0 at the end, -1 when the source failed.  Its length is
 * not known in advance: a SIZE that is declared must leave room.
 */
ssize_t downgrade_read(struct downgrade *, char *out, size_t size);

/* The next downgrade_read() begins again. */
void downgrade_rewind(struct downgrade *);

#endif
