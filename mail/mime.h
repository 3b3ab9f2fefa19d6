/*
 * mime.h - the two header fields that say how a body is built (RFC 2045 5
 * and 6).
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>

#define MIME_TOKEN_MAX    64
#define MIME_BOUNDARY_MAX 71 /* RFC 2046 5.1.1: 70 characters, and a NUL */

/*
 *   type, subtype  lower case
 *   boundary       "" when there is none
 */
struct mime_type {
	char type[MIME_TOKEN_MAX];
	char subtype[MIME_TOKEN_MAX];
	char boundary[MIME_BOUNDARY_MAX];
};

/*
 * Read the value of Content-Type:, comments, quoted strings and folding
 * included.  All parameters but the boundary are only checked.
 *
 * False when it is malformed, has two boundaries, or one that is empty, too
 * long, ends in a space or has other characters than visible ones and spaces.
 */
bool mime_type(struct mime_type *, const char *value, size_t n);

enum mime_encoding {
	MIME_7BIT,
	MIME_8BIT,
	MIME_BINARY,
	MIME_QUOTED_PRINTABLE,
	MIME_BASE64,
	MIME_OTHER, /* unknown or malformed */
};

/* Read the value of Content-Transfer-Encoding:. */
enum mime_encoding mime_encoding(const char *value, size_t n);

#endif
