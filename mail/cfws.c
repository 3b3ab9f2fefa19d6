/*
 * cfws.c - what may stand between the words of a structured header field.
 */
#include <stdbool.h>

#include "mail/ascii.h"
#include "mail/cfws.h"

/* May this byte stand in a quoted string or a comment? */
static bool
is_text(char c)
{
	return ascii_print(c) || c == '\t' || (c & 0x80);
}

/* How many bytes of blanks are at p?  A CRLF counts when a blank or the end
 * is behind it. */
static size_t
blanks(const char *p, const char *end)
{
	const char *s = p;

	for (;;) {
		if (p < end && ascii_blank(*p))
			p++;
		else if (end - p >= 2 && p[0] == '\r' && p[1] == '\n' &&
		    (end - p == 2 || ascii_blank(p[2])))
			p += 2;
		else
			return (size_t)(p - s);
	}
}

/*
 * One character of a comment or a quoted string: a folded line, a quoted
 * pair, or a byte.  Returns the one behind, NULL when it is cut off or bad.
 */
static const char *
step(const char *p, const char *end)
{
	size_t n = blanks(p, end);

	if (n > 0)
		return p + n;
	if (*p == '\\' && ++p == end)
		return NULL;
	return is_text(*p) ? p + 1 : NULL;
}

/* Behind the comment that begins at p, or NULL. */
static const char *
skip_comment(const char *p, const char *end)
{
	unsigned depth = 0;

	while (p != NULL && p < end) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
		p = step(p, end);
	}
	return NULL;
}

const char *
cfws_skip(const char *p, const char *end)
{
	for (;;) {
		p += blanks(p, end);
		if (p == end || *p != '(')
			return p;
		p = skip_comment(p, end);
		if (p == NULL)
			return NULL;
	}
}

const char *
cfws_quote(const char *p, const char *end)
{
	while (p != NULL && p < end && *p != '"')
		p = step(p, end);
	return p == end ? NULL : p;
}
