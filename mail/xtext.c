/*
 * xtext.c - the encoding of values in MAIL and RCPT.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/utf8.h"
#include "mail/xtext.h"

/* One upper-case hex digit, or -1. */
static int
hex(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
xtext_decode(const char *s, size_t n, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c <= ' ' || c > '~' || c == '=')
			return false;
		if (c == '+') {
			if (n - i < 3 || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
				return false;
			c = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		}
		if (!ascii_print(c) || len + 1 >= size)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}

/*
 * Read the "{HEX}" of an EmbeddedUnicodeChar (RFC 6533 3); returns its length
 * or 0.
 */
static size_t
embedded(const char *s, size_t n, uint32_t *point)
{
	size_t i;

	*point = 0;
	if (n < 4 || s[0] != '{')
		return 0;
	for (i = 1; i < n && i <= 6 && hex(s[i]) >= 0; i++)
		*point = *point << 4 | (uint32_t)hex(s[i]);
	return i >= 3 && i < n && s[i] == '}' ? i + 1 : 0;
}

static size_t
put_utf8(uint32_t point, char out[4])
{
	static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = point < 0x80 ? 0
	    : point < 0x800        ? 1
	    : point < 0x10000      ? 2
				   : 3;

	for (size_t i = more; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3f));
	out[0] = (char)(first[more] | point);
	return more + 1;
}

bool
xtext_decode_utf8(const char *s, size_t n, char *out, size_t size)
{
	size_t len = 0, k;
	uint32_t point;
	char c[4];

	for (size_t i = 0; i < n; i++) {
		size_t bytes = 1;

		c[0] = s[i];
		if (c[0] == '\\') {
			if (n - i < 2 || s[i + 1] != 'x' ||
			    (k = embedded(s + i + 2, n - i - 2, &point)) == 0 ||
			    point > 0x10ffff)
				return false;
			bytes = put_utf8(point, c);
			i += 1 + k;
		} else if (c[0] == '+' || c[0] == '=' || c[0] == ' ')
			return false;
		if (bytes >= size - len)
			return false;
		memcpy(out + len, c, bytes);
		len += bytes;
	}
	out[len] = '\0';
	return utf8_text(out, len);
}

size_t
xtext_encode(const char *s, char *out, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = 0;

	for (; *s != '\0'; s++) {
		bool plain = *s > ' ' && *s <= '~' && *s != '+' && *s != '=';

		if (len + (plain ? 1 : 3) >= size)
			return 0;
		if (plain) {
			out[len++] = *s;
			continue;
		}
		out[len++] = '+';
		out[len++] = digits[(unsigned char)*s >> 4];
		out[len++] = digits[*s & 15];
	}
	out[len] = '\0';
	return len;
}

/* The character at s, which is valid UTF-8, and its length. */
static uint32_t
character(const char *s, size_t *n)
{
	unsigned char first = (unsigned char)*s;
	uint32_t c = first;

	*n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (*n > 1)
		c = first & (0x7fu >> *n);
	for (size_t i = 1; i < *n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

static size_t
encode_utf8(const char *s, bool raw, char *out, size_t size)
{
	char hex[16];
	size_t n, len = 0, k;

	for (; *s != '\0'; s += n) {
		uint32_t c = character(s, &n);
		const char *from = s;

		k = n;
		if (c < 0x80 ? c <= ' ' || c > '~' || strchr("+=\\", (int)c)
			     : !raw) {
			k = (size_t)snprintf(hex, sizeof(hex), "\\x{%02X}", c);
			from = hex;
		}
		if (k >= size - len)
			return 0;
		memcpy(out + len, from, k);
		len += k;
	}
	out[len] = '\0';
	return len;
}

size_t
xtext_orcpt(const char *orcpt, bool utf8, char *out, size_t size)
{
	const char *address = strchr(orcpt, ';');
	size_t type, n;

	if (address == NULL || address == orcpt)
		return 0;
	type = (size_t)(++address - orcpt);
	if (type >= size)
		return 0;
	for (const char *p = orcpt; p < address; p++)
		if (*p <= ' ' || *p > '~')
			return 0;
	memcpy(out, orcpt, type);
	out += type;
	size -= type;
	if (ascii_is(orcpt, type - 1, "utf-8") &&
	    utf8_valid(address, strlen(address)))
		n = encode_utf8(address, utf8, out, size);
	else
		n = xtext_encode(address, out, size);
	return n > 0 ? type + n : 0;
}
