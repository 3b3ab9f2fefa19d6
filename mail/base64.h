/*
 * base64.h - base64 (RFC 4648 4), strictly.
 */
#ifndef MAIL_BASE64_H
#define MAIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Room for the text of n bytes and a NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/*
 * Decode.  The one accepted text of some bytes is the one that encoding them
 * gives: no blanks, padding as it must be, no bits left over.
 *
 *   in, n      borrowed
 *   out, size  the bytes, and no byte more than size
 *   len        set when true
 *
 * False for any other text, and when the bytes do not fit; then out may be
 * partly written.
 */
bool
base64_decode(const char *in, size_t n, void *out, size_t size, size_t *len);

/*
 * Encode n bytes, with a NUL behind; out has room for BASE64_SIZE(n).
 * Returns the length of the text.
 */
size_t base64_encode(const void *in, size_t n, char *out);

/*
 * The body of a MIME part (RFC 2045 6.8): lines of 76 characters, each ended
 * by CRLF, the last one too.  However the input is cut, the output is the same.
 */
struct base64_mime {
	unsigned char held[3];
	unsigned char nheld;
	unsigned char column;
};

/* Room for the output of n bytes of input. */
#define BASE64_MIME_ROOM(n) (((n) + 2) / 3 * 4 + ((n) + 2) / 57 * 2 + 4)

/* Room for what base64_mime_end() writes. */
#define BASE64_MIME_END 8

void base64_mime_init(struct base64_mime *);
size_t
base64_mime_write(struct base64_mime *, const char *in, size_t n, char *out);
size_t base64_mime_end(struct base64_mime *, char out[BASE64_MIME_END]);

#endif
