/*
 * reply.c - what another server answers, collected within bounds.
 */
#include <assert.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/reply.h"

void
reply_init(struct reply *r, reply_line *each, void *arg)
{
	r->code = 0;
	r->status[0] = '\0';
	r->text[0] = '\0';
	r->text_len = 0;
	r->problem = NULL;
	r->each = each;
	r->arg = arg;
	r->lines = 0;
	r->done = false;
	r->bytes = 0;
	r->line_len = 0;
}

static void
append(struct reply *r, const char *s, size_t n)
{
	size_t room = sizeof(r->text) - 1 - r->text_len;

	if (n > room)
		n = room;
	memcpy(r->text + r->text_len, s, n);
	r->text_len += n;
	r->text[r->text_len] = '\0';
}

/* Add a line's text to that of the reply, without the status. */
static void
add_text(struct reply *r, const char *s, size_t n)
{
	char status[STATUS_MAX];
	size_t skip = status_parse(s, n, status);

	if (r->lines == 0 && skip > 0 && status_fits(status, r->code))
		memcpy(r->status, status, sizeof(r->status));
	/* RFC 2034 4: it is repeated on each line. */
	if (skip > 0 && strcmp(status, r->status) == 0) {
		s += skip;
		n -= skip;
	}
	for (; n > 0 && *s == ' '; n--)
		s++;
	while (n > 0 && s[n - 1] == ' ')
		n--;
	if (n == 0)
		return;
	if (r->text_len > 0)
		append(r, " / ", 3);
	append(r, s, n);
}

/*
 * Read a line that has lost its CRLF and has room for a NUL.  Returns what is
 * wrong with it, or NULL; sets r->done behind the last one.
 */
static const char *
read_line(struct reply *r)
{
	char *s = r->line;
	size_t n = r->line_len;
	int code;

	if (n < 3 || s[0] < '2' || s[0] > '5' || !ascii_digit(s[1]) ||
	    !ascii_digit(s[2]))
		return "no reply code";
	if (n > 3 && s[3] != ' ' && s[3] != '-')
		return "no reply code";
	code = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	if (r->lines > 0 && code != r->code)
		return "different codes in one reply";
	r->code = code;
	r->done = n == 3 || s[3] == ' ';
	/* RFC 5321 4.2.1: a code alone is a last line too. */
	s += n == 3 ? 3 : 4;
	n -= n == 3 ? 3 : 4;
	for (size_t i = 0; i < n; i++)
		if (!ascii_print(s[i]))
			s[i] = s[i] == '\t' ? ' ' : '?';
	s[n] = '\0';
	add_text(r, s, n);
	if (r->each != NULL)
		r->each(r->arg, r->lines, s);
	r->lines++;
	r->line_len = 0;
	return NULL;
}

/* Take one byte; returns what is wrong with it, or NULL. */
static const char *
take(struct reply *r, char c)
{
	bool cr = r->line_len > 0 && r->line[r->line_len - 1] == '\r';

	if (++r->bytes > REPLY_BYTES_MAX)
		return "reply too long";
	if (c == '\n') {
		if (!cr)
			return "bare LF";
		r->line_len--;
		return read_line(r);
	}
	if (cr)
		return "bare CR";
	if (r->line_len == sizeof(r->line) - 1)
		return "reply line too long";
	r->line[r->line_len++] = c;
	return NULL;
}

enum reply_result
reply_feed(struct reply *r, const char *in, size_t n, size_t *used)
{
	size_t i = 0;

	assert(!r->done && r->problem == NULL);
	while (i < n && !r->done && r->problem == NULL)
		r->problem = take(r, in[i++]);
	*used = i;
	if (r->problem != NULL)
		return REPLY_BAD;
	return r->done ? REPLY_DONE : REPLY_MORE;
}
