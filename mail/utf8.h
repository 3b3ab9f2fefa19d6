/*
 * utf8.h - is it UTF-8 (RFC 3629)?
 */
#ifndef MAIL_UTF8_H
#define MAIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Text that comes in pieces; all zero at first. */
struct utf8_reader {
	bool bad;                      /* it is no UTF-8, whatever follows */
	unsigned char more, low, high; /* the reader's own; more > 0 is an
					* unfinished character */
};

void utf8_feed(struct utf8_reader *, const char *s, size_t n);

/*
 * Are these n bytes UTF-8: no overlong form, no surrogate, nothing over
 * U+10FFFF, nothing cut off?
 */
bool utf8_valid(const char *s, size_t n);

/* And is there no control character among them, C0, DEL or C1? */
bool utf8_text(const char *s, size_t n);

/* Make such text of a string: each byte that is in the way becomes "?". */
void utf8_clean(char *s);

/*
 * Windows-1252, which has all of Latin-1, as UTF-8 without a NUL behind it.
 * Returns the bytes in out[size]; 0 when it does not fit.
 */
size_t utf8_from_windows(const char *s, size_t n, char *out, size_t size);

#endif
