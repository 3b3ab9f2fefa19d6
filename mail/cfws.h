/*
 * cfws.h - what may stand between the words of a structured header field
 * (RFC 5322 3.2.2): blanks, folded lines, comments.
 */
#ifndef MAIL_CFWS_H
#define MAIL_CFWS_H

#include <stddef.h>

/*
 * The first byte behind the blanks and comments at p, perhaps end; NULL when
 * a comment has no end or has controls in it.
 */
const char *cfws_skip(const char *p, const char *end);

/*
 * The closing quote of the quoted string whose inside begins at p, or NULL
 * when there is none or controls are in front of it.
 */
const char *cfws_quote(const char *p, const char *end);

#endif
