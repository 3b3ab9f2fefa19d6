/*
 * data.c - the server's end of DATA.
 *
 *   state       what came last
 *   LINE_START  nothing yet, or CRLF
 *   DOT         a dot at the start of a line; it is not part of the message
 *   DOT_CR      ... and CR; kept back, because LF makes it the end
 *   IN_LINE     any other byte
 *   IN_LINE_CR  CR in a line
 *   ENDED       CRLF "." CRLF
 *
 * Bytes that stay are passed on in runs as long as possible, and judged by
 * run; only a dot that goes or a lone LF cuts one.
 */
#include <string.h>

#include "mail/data.h"
#include "mail/lines.h"

#define LINE_OCTETS 998 /* RFC 5322 2.1.1, without CRLF */

enum { LINE_START, DOT, DOT_CR, IN_LINE, IN_LINE_CR, ENDED };

void
data_init(struct data_reader *r)
{
	memset(r, 0, sizeof(*r));
}

/* Is there no fault yet but perhaps a long line? */
static bool
is_blameless(const struct data_reader *r)
{
	return r->fault == DATA_CLEAN || r->fault == DATA_LONG_LINE;
}

static void
blame(struct data_reader *r, enum data_fault fault)
{
	if (is_blameless(r))
		r->fault = fault;
}

/* Which came first in this run, a lone CR or a NUL? */
static void
blame_first(struct data_reader *r, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\0') {
			blame(r, DATA_NUL);
			return;
		}
		if (s[i] == '\r' && i + 1 < n && s[i + 1] != '\n') {
			blame(r, DATA_BARE_CR);
			return;
		}
	}
}

/*
 * Put a run out.  Unless blame is settled, the caller has found every LF in it
 * to be behind a CR.
 */
static char *
pass(struct data_reader *r, const char *from, const char *to, char *out)
{
	size_t n = (size_t)(to - from);

	if (n == 0)
		return out;
	memcpy(out, from, n);
	if (!lines_clean(from, n, &r->eight_bit))
		blame_first(r, from, n);
	r->size += n;
	return out + n;
}

/* A line of r->line octets, its CR among them, has its LF. */
static void
line_end(struct data_reader *r)
{
	if (r->line > LINE_OCTETS + 1)
		blame(r, DATA_LONG_LINE);
	r->line = 0;
	r->at = LINE_START;
}

enum data_result
data_read(struct data_reader *r, const char *in, size_t n, size_t *used,
    char *out, size_t *out_len)
{
	const char *p = in, *end = in + n, *from = in, *lf;
	char *o = out;

	while (p < end && r->at != ENDED) {
		switch (r->at) {
		case LINE_START:
			if (*p != '.') {
				r->at = IN_LINE;
				break;
			}
			o = pass(r, from, p, o);
			from = ++p;
			r->at = DOT;
			break;
		case DOT:
			if (*p != '\r') {
				r->at = IN_LINE;
				break;
			}
			from = ++p;
			r->at = DOT_CR;
			break;
		case DOT_CR:
			if (*p == '\n') {
				from = ++p;
				r->at = ENDED;
				break;
			}
			blame(r, DATA_BARE_CR);
			*o++ = '\r';
			r->size++;
			r->at = IN_LINE;
			break;
		case IN_LINE_CR:
			if (*p == '\n') {
				p++;
				line_end(r);
				break;
			}
			blame(r, DATA_BARE_CR);
			r->at = IN_LINE;
			break;
		case IN_LINE:
			lf = memchr(p, '\n', (size_t)(end - p));
			if (lf == NULL) {
				r->line += (size_t)(end - p);
				r->at = end[-1] == '\r' ? IN_LINE_CR : IN_LINE;
				p = end;
				break;
			}
			r->line += (size_t)(lf - p);
			if (lf > p && lf[-1] == '\r') {
				p = lf + 1;
				line_end(r);
				break;
			}
			if (is_blameless(r)) {
				/* What is in front may hold an earlier one. */
				o = pass(r, from, lf, o);
				from = lf;
				blame(r, DATA_BARE_LF);
			}
			p = lf + 1;
			break;
		}
	}
	o = pass(r, from, p, o);
	*used = (size_t)(p - in);
	*out_len = (size_t)(o - out);
	return r->at == ENDED ? DATA_END : DATA_MORE;
}

/* What is wrong in a run that is not clean: what comes first. */
static void
blame_run(struct data_reader *r, const char *s, size_t n)
{
	for (size_t i = 0; i < n && is_blameless(r); i++) {
		if (s[i] == '\0')
			blame(r, DATA_NUL);
		else if (s[i] == '\r' && i + 1 < n && s[i + 1] != '\n')
			blame(r, DATA_BARE_CR);
		else if (s[i] == '\n' && i > 0 && s[i - 1] != '\r')
			blame(r, DATA_BARE_LF);
	}
}

/* The lengths of the lines of a run. */
static void
measure(struct data_reader *r, const char *p, const char *end)
{
	const char *lf;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL) {
			r->line += (size_t)(end - p);
			return;
		}
		r->line += (size_t)(lf - p);
		if (r->line > LINE_OCTETS + 1)
			blame(r, DATA_LONG_LINE);
		r->line = 0;
	}
}

void
data_chunk(struct data_reader *r, const char *in, size_t n, bool opaque)
{
	if (n == 0)
		return;
	r->size += n;
	if (opaque) {
		r->eight_bit = r->eight_bit || lines_eight_bit(in, n);
		return;
	}
	/* The neighbours of the first octet and the last one. */
	if (r->at == IN_LINE_CR && *in != '\n')
		blame(r, DATA_BARE_CR);
	else if (r->at != IN_LINE_CR && *in == '\n')
		blame(r, DATA_BARE_LF);
	if (!lines_clean(in, n, &r->eight_bit))
		blame_run(r, in, n);
	measure(r, in, in + n);
	r->at = in[n - 1] == '\n' ? LINE_START
	    : in[n - 1] == '\r'   ? IN_LINE_CR
				  : IN_LINE;
}

bool
data_chunk_end(struct data_reader *r)
{
	if (r->at == IN_LINE_CR)
		blame(r, DATA_BARE_CR);
	return r->at == LINE_START;
}
