/*
 * line.c - see line.h.
 */
#include <string.h>

#include "smtpd/line.h"

static const char *
find_crlf(const char *p, size_t n)
{
	const char *lf, *start = p, *end = p + n;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			break;
		if (lf > start && lf[-1] == '\r')
			return lf - 1;
	}
	return NULL;
}

static enum line
incomplete(const char *p, size_t n, size_t *used, size_t *skipped)
{
	if (*skipped > 0 || n > LINE_MOST + 1) {
		/* A CR at the end may be half of the CRLF. */
		*used = n > 0 && p[n - 1] == '\r' ? n - 1 : n;
		*skipped += *used;
	}
	return *skipped > LINE_ENDLESS_MOST ? LINE_ENDLESS : LINE_MORE;
}

enum line
line_find(const char *p, size_t n, size_t *used, size_t *len, size_t *skipped)
{
	const char *end = find_crlf(p, n);
	size_t before = *skipped;

	*used = *len = 0;
	if (end == NULL)
		return incomplete(p, n, used, skipped);
	*len = (size_t)(end - p);
	*used = *len + 2;
	*skipped = 0;
	if (before + *len > LINE_ENDLESS_MOST)
		return LINE_ENDLESS;
	if (before > 0 || *len > LINE_MOST)
		return LINE_LONG;
	if (memchr(p, '\0', *len) != NULL || memchr(p, '\r', *len) != NULL ||
	    memchr(p, '\n', *len) != NULL)
		return LINE_BAD;
	return LINE_GOOD;
}
