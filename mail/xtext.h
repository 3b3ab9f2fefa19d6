/*
 * xtext.h - the encoding of values in MAIL and RCPT (RFC 3461 4, RFC 6533 3).
 */
#ifndef MAIL_XTEXT_H
#define MAIL_XTEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decode xtext: "+3D" is "=".
 *
 *   s, n  borrowed; visible ASCII without "=" and, bare, "+"
 *   out   room for size, NUL included; set when true
 *
 * False when it is no xtext or does not fit, or when what comes out is not
 * printable: these values end in headers and logs.
 */
bool xtext_decode(const char *s, size_t n, char *out, size_t size);

/*
 * The same of an address of type utf-8 (RFC 6533 3), in any of its forms:
 * "\x{E9}" is U+00E9, and UTF-8 is itself.
 */
bool xtext_decode_utf8(const char *s, size_t n, char *out, size_t size);

/*
 * Encode printable ASCII.  Returns the length, without the NUL; 0 when it
 * does not fit into size, or nothing is there.
 */
size_t xtext_encode(const char *s, char *out, size_t size);

/*
 * Encode the value of ORCPT, "type;address"; that of the type utf-8 in
 * characters of UTF-8 when the server takes them (utf8), else as "\x{HEX}".
 * Result as above; also 0 when there is no type.
 */
size_t xtext_orcpt(const char *orcpt, bool utf8, char *out, size_t size);

#endif
