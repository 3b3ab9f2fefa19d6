/*
 * text.h - copying strings into the arrays of messages.
 */
#ifndef SMTPD_TEXT_H
#define SMTPD_TEXT_H

#include <string.h>

/* Copy a string into out[size], cut to fit; always NUL-terminated. */
static inline void
text_copy(char *out, size_t size, const char *in)
{
	size_t n = strlen(in);

	if (n >= size)
		n = size - 1;
	memcpy(out, in, n);
	out[n] = '\0';
}

#endif
