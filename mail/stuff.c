/*
 * stuff.c - the client's end of DATA.
 *
 * Like its mirror data.c it works in runs: a run is copied and judged whole,
 * and ends where a dot must be put in.
 */
#include <string.h>

#include "mail/lines.h"
#include "mail/stuff.h"

void
stuff_init(struct stuffer *s)
{
	*s = (struct stuffer){ .line_start = true };
}

/* Blot out in a run whatever another server could take for a line end. */
static void
blot(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n')
			i++;
		else if (s[i] == '\r' || s[i] == '\n' || s[i] == '\0')
			s[i] = ' ';
	}
}

/* Copy a run; no neighbour belongs to a LF in front or a CR at its end. */
static char *
pass(const char *from, const char *to, char *out)
{
	size_t n = (size_t)(to - from);
	bool ignored;

	if (n == 0)
		return out;
	memcpy(out, from, n);
	if (*from == '\n' || to[-1] == '\r' || !lines_clean(from, n, &ignored))
		blot(out, n);
	return out + n;
}

size_t
stuff_write(struct stuffer *s, const char *in, size_t n, char *out)
{
	const char *p = in, *end = in + n, *from, *lf;
	char *o = out;

	if (n == 0)
		return 0;
	if (s->cr) {
		s->cr = false;
		if (*p == '\n') {
			*o++ = '\r';
			*o++ = '\n';
			p++;
			s->line_start = true;
		} else {
			*o++ = ' ';
		}
	}
	from = p;
	while (p < end) {
		if (s->line_start && *p == '.') {
			o = pass(from, p, o);
			from = p;
			*o++ = '.';
		}
		s->line_start = false;
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL) {
			s->cr = end[-1] == '\r';
			break;
		}
		s->line_start = lf > p && lf[-1] == '\r';
		p = lf + 1;
	}
	o = pass(from, s->cr ? end - 1 : end, o);
	return (size_t)(o - out);
}

size_t
stuff_end(struct stuffer *s, char out[STUFF_END])
{
	char *o = out;

	if (s->cr)
		*o++ = ' ';
	if (s->cr || !s->line_start) {
		*o++ = '\r';
		*o++ = '\n';
	}
	memcpy(o, ".\r\n", 3);
	stuff_init(s);
	return (size_t)(o - out) + 3;
}
