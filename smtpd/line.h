/*
 * line.h - where a command line ends (RFC 5321 2.3.8: at CRLF and nowhere
 * else).
 */
#ifndef SMTPD_LINE_H
#define SMTPD_LINE_H

#include <stddef.h>

#define LINE_MOST         12288 /* RFC 4954 4: octets without CRLF */
#define LINE_ENDLESS_MOST 65536 /* who sends more has no end in mind */

enum line {
	LINE_MORE, /* incomplete */
	LINE_GOOD,
	LINE_BAD,     /* holds a NUL, a lone CR or a lone LF */
	LINE_LONG,    /* over LINE_MOST octets */
	LINE_ENDLESS, /* over LINE_ENDLESS_MOST, and no end has come */
};

/*
 * Find the end of the first line of p[n].
 *
 *   used     set: octets to drop from the front, with the CRLF.  On LINE_MORE
 *            it is 0 until the line is longer than LINE_MOST; from then on its
 *            octets are dropped as they come
 *   len      set on LINE_GOOD: octets of the line
 *   skipped  how much of this line was dropped already: 0 at first, kept
 *            between calls by the caller, 0 again when the line ends
 */
enum line
line_find(const char *p, size_t n, size_t *used, size_t *len, size_t *skipped);

#endif
