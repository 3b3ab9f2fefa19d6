/*
 * mime.c - the two header fields that say how a body is built.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/cfws.h"
#include "mail/mime.h"

/* RFC 2045 5.1. */
static bool
is_token(char c)
{
	return ascii_print(c) && c != ' ' && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* The token at *p, over blanks and comments; *p ends up behind it. */
static bool
token(const char **p, const char *end, const char **text, size_t *len)
{
	const char *s = cfws_skip(*p, end), *q = s;

	if (s == NULL)
		return false;
	while (q < end && is_token(*q))
		q++;
	*text = s;
	*len = (size_t)(q - s);
	*p = q;
	return q > s;
}

/* The character c at *p, over blanks and comments; *p ends up behind it. */
static bool
mark(const char **p, const char *end, char c)
{
	const char *s = cfws_skip(*p, end);

	if (s == NULL || s == end || *s != c)
		return false;
	*p = s + 1;
	return true;
}

static bool
lower(char out[MIME_TOKEN_MAX], const char *s, size_t n)
{
	if (n >= MIME_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = ascii_lower(s[i]);
	out[n] = '\0';
	return true;
}

/*
 * The value of a parameter at *p into out, if not NULL.  Without quotes it
 * may hold what it should not: many a boundary has an "=" in it.
 */
static bool
param_value(const char **p, const char *end, char *out, size_t size)
{
	const char *s = cfws_skip(*p, end), *q;
	bool quoted = s != NULL && s < end && *s == '"';
	size_t n = 0;

	if (s == NULL)
		return false;
	if (quoted) {
		q = cfws_quote(++s, end);
		if (q == NULL)
			return false;
		*p = q + 1;
	} else {
		for (q = s; q < end && ascii_print(*q) && *q != ' ' &&
		     *q != ';' && *q != '"';)
			q++;
		*p = q;
	}
	for (; s < q; s++) {
		if (quoted && (*s == '\r' || *s == '\n'))
			continue; /* folding */
		if (quoted && *s == '\\')
			s++;
		if (out == NULL)
			continue;
		if (n == size - 1)
			return false;
		out[n++] = *s;
	}
	if (out != NULL)
		out[n] = '\0';
	return true;
}

/* RFC 2046 5.1.1, but for the choice of characters: bytes are compared. */
static bool
boundary_valid(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!ascii_print(s[i]))
			return false;
	return n > 0 && s[n - 1] != ' ';
}

bool
mime_type(struct mime_type *t, const char *value, size_t n)
{
	const char *p = value, *end = value + n, *text;
	size_t len;

	memset(t, 0, sizeof(*t));
	if (!token(&p, end, &text, &len) || !lower(t->type, text, len) ||
	    !mark(&p, end, '/') || !token(&p, end, &text, &len) ||
	    !lower(t->subtype, text, len))
		return false;
	while (mark(&p, end, ';')) {
		bool boundary;

		if (!token(&p, end, &text, &len))
			continue; /* a needless semicolon */
		boundary = ascii_is(text, len, "boundary");
		if (!mark(&p, end, '='))
			return false;
		if (!boundary) {
			if (!param_value(&p, end, NULL, 0))
				return false;
			continue;
		}
		if (t->boundary[0] != '\0' ||
		    !param_value(&p, end, t->boundary, sizeof(t->boundary)) ||
		    !boundary_valid(t->boundary))
			return false;
	}
	return cfws_skip(p, end) == end;
}

enum mime_encoding
mime_encoding(const char *value, size_t n)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} known[] = {
		{ "7bit", MIME_7BIT },
		{ "8bit", MIME_8BIT },
		{ "binary", MIME_BINARY },
		{ "quoted-printable", MIME_QUOTED_PRINTABLE },
		{ "base64", MIME_BASE64 },
	};
	const char *p = value, *end = value + n, *text;
	size_t len;

	if (!token(&p, end, &text, &len) || cfws_skip(p, end) != end)
		return MIME_OTHER;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (ascii_is(text, len, known[i].name))
			return known[i].encoding;
	return MIME_OTHER;
}
