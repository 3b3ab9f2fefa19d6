/*
 * base64.c - base64, strictly.
 */
#include <string.h>

#include "mail/base64.h"

#define MIME_LINE 76 /* RFC 2045 6.8 */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a digit, or -1. */
static int
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
base64_decode(const char *in, size_t n, void *out, size_t size, size_t *len)
{
	unsigned char *o = out;
	size_t pad = 0, bytes;

	if (n % 4 != 0)
		return false;
	if (n > 0 && in[n - 1] == '=')
		pad = in[n - 2] == '=' ? 2 : 1;
	bytes = n / 4 * 3 - pad;
	if (bytes > size)
		return false;
	for (size_t i = 0; i < n; i += 4) {
		size_t take = i + 4 == n ? 3 - pad : 3;
		unsigned long bits = 0;

		for (size_t k = 0; k < 4; k++) {
			int v = k <= take ? value(in[i + k]) : 0;

			if (v < 0)
				return false;
			bits = bits << 6 | (unsigned long)v;
		}
		if ((bits & ((1ul << 8 * (3 - take)) - 1)) != 0)
			return false;
		for (size_t k = 0; k < take; k++)
			*o++ = (unsigned char)(bits >> (16 - 8 * k));
	}
	*len = bytes;
	return true;
}

/* The four digits of one to three bytes. */
static void
quantum(const unsigned char *in, size_t n, char *out)
{
	unsigned long bits = (unsigned long)in[0] << 16;

	if (n > 1)
		bits |= (unsigned long)in[1] << 8;
	if (n > 2)
		bits |= in[2];
	out[0] = digits[bits >> 18];
	out[1] = digits[bits >> 12 & 63];
	out[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
	out[3] = n > 2 ? digits[bits & 63] : '=';
}

size_t
base64_encode(const void *in, size_t n, char *out)
{
	const unsigned char *p = in;
	char *o = out;

	for (; n > 0; o += 4) {
		size_t k = n < 3 ? n : 3;

		quantum(p, k, o);
		p += k;
		n -= k;
	}
	*o = '\0';
	return (size_t)(o - out);
}

void
base64_mime_init(struct base64_mime *m)
{
	memset(m, 0, sizeof(*m));
}

/* Write what is held, and the line end where it is due. */
static char *
flush(struct base64_mime *m, char *o)
{
	quantum(m->held, m->nheld, o);
	o += 4;
	m->nheld = 0;
	m->column += 4;
	if (m->column == MIME_LINE) {
		*o++ = '\r';
		*o++ = '\n';
		m->column = 0;
	}
	return o;
}

size_t
base64_mime_write(struct base64_mime *m, const char *in, size_t n, char *out)
{
	char *o = out;

	for (size_t i = 0; i < n; i++) {
		m->held[m->nheld++] = (unsigned char)in[i];
		if (m->nheld == 3)
			o = flush(m, o);
	}
	return (size_t)(o - out);
}

size_t
base64_mime_end(struct base64_mime *m, char out[BASE64_MIME_END])
{
	char *o = out;

	if (m->nheld > 0)
		o = flush(m, o);
	if (m->column > 0) {
		*o++ = '\r';
		*o++ = '\n';
	}
	base64_mime_init(m);
	return (size_t)(o - out);
}
