/*
 * utf8.h - is it UTF-8 (RFC 3629)?
 */
#ifndef MAIL_UTF8_H
#define MAIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Are these n bytes UTF-8: no overlong form, no surrogate, nothing over
 * U+10FFFF, nothing cut off?
 */
bool utf8_valid(const char *s, size_t n);

/* And is there no control character among them, C0, DEL or C1? */
bool utf8_text(const char *s, size_t n);

#endif
