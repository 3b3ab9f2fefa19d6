/*
 * dkim_body.c - the body as DKIM hashes it (RFC 6376 3.4.4).
 *
 * Blanks at the end of a line go, others become one space; empty lines at the
 * end of the body go; what is left ends with CRLF, or is nothing at all.
 * Bytes that stay go out in runs as long as possible, over line ends too.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/dkim.h"

void
dkim_body_init(struct dkim_body *b, dkim_put *put, void *arg)
{
	*b = (struct dkim_body){ .put = put, .arg = arg };
}

/* Something follows: what was kept back counts. */
static void
release(struct dkim_body *b)
{
	static const char lines[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

	while (b->blank > 0) {
		size_t n = b->blank < 8 ? (size_t)b->blank : 8;

		b->put(b->arg, lines, 2 * n);
		b->blank -= n;
	}
	if (b->space)
		b->put(b->arg, " ", 1);
	b->space = false;
}

static void
end_line(struct dkim_body *b)
{
	if (b->content)
		b->put(b->arg, "\r\n", 2);
	else
		b->blank++;
	b->content = b->space = false;
}

/* Neither a blank nor perhaps a line end. */
static bool
plain(char c)
{
	return c != ' ' && c != '\t' && c != '\r';
}

/* Sixteen bytes side by side, for which most processors have instructions. */
typedef unsigned char bytes __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static bytes
stops(bytes v)
{
	return (bytes)(v == '\t') | (bytes)(v == '\r');
}

/* The first byte that is not 0; 16 when there is none. */
static size_t
first(bytes v)
{
	halves h = (halves)v;

	if ((h[0] | h[1]) == 0)
		return 16;
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return 0; /* seen again one by one */
	return (size_t)(h[0] != 0 ? __builtin_ctzll(h[0])
				  : 64 + __builtin_ctzll(h[1])) /
	    8;
}

/* Past what stays for certain, most of most mail: neither tab nor CR, nor a
 * space in front of one of them or of another space. */
static const char *
skip_words(const char *p, const char *end)
{
	bytes here, next;
	size_t n = 16;

	for (; n == 16 && end - p > 16; p += n) {
		memcpy(&here, p, 16);
		memcpy(&next, p + 1, 16);
		n = first(stops(here) |
		    ((bytes)(here == ' ') &
			(stops(next) | (bytes)(next == ' '))));
	}
	return p;
}

/* A run that stays as it is begins at p, which is plain; where it ends. */
static const char *
run_end(const char *p, const char *end)
{
	for (;;) {
		p = skip_words(p, end);
		while (p < end && plain(*p))
			p++;
		/* One space between words, a line end between words. */
		if (end - p >= 2 && *p == ' ' && plain(p[1]))
			p += 2;
		else if (end - p >= 3 && *p == '\r' && p[1] == '\n' &&
		    plain(p[2]))
			p += 3;
		else
			return p;
	}
}

void
dkim_body_feed(struct dkim_body *b, const char *p, size_t n)
{
	const char *end = p + n, *from;

	if (n > 0 && b->cr && *p == '\n') {
		b->cr = false;
		end_line(b);
		p++;
	}
	while (p < end) {
		if (b->cr) { /* it was no line end */
			b->cr = false;
			release(b);
			b->put(b->arg, "\r", 1);
			b->content = true;
		}
		if (ascii_blank(*p)) {
			b->space = true;
			p++;
		} else if (*p != '\r') {
			release(b);
			from = p;
			p = run_end(p, end);
			b->put(b->arg, from, (size_t)(p - from));
			b->content = true;
		} else if (p + 1 < end && p[1] == '\n') {
			end_line(b);
			p += 2;
		} else {
			b->cr = true;
			p++;
		}
	}
}

void
dkim_body_end(struct dkim_body *b)
{
	if (b->cr) {
		release(b);
		b->put(b->arg, "\r", 1);
		b->content = true;
	}
	if (b->content)
		b->put(b->arg, "\r\n", 2);
}
