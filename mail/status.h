/*
 * status.h - enhanced status codes, "5.7.1" (RFC 3463, RFC 2034).
 */
#ifndef MAIL_STATUS_H
#define MAIL_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#define STATUS_MAX 10 /* "5.123.456" and a NUL */

/*
 * Is there an enhanced status code at the start of s?  "x.y.z": x is 2, 4 or
 * 5; y and z have 1 to 3 digits and no needless zero in front; a blank or the
 * end follows.
 *
 *   s, n  borrowed
 *   out   set when non-zero; NUL-terminated
 *
 * Returns its length, or 0 when there is none.
 */
size_t status_parse(const char *s, size_t n, char out[STATUS_MAX]);

/* Do an enhanced status and a reply code speak of the same class? */
bool status_fits(const char *status, int code);

/*
 * The status to report for a reply that came without one: what RFC 3463 and
 * RFC 5321 say of the code, or "4.0.0", "5.0.0" and so on.  Static storage.
 */
const char *status_default(int code);

#endif
