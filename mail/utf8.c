/*
 * utf8.c - is it UTF-8 (RFC 3629 4)?
 */
#include <stdint.h>
#include <string.h>

#include "mail/utf8.h"

void
utf8_feed(struct utf8_reader *r, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	for (; p < end; p++) {
		if (r->more > 0) {
			if (*p < r->low || *p > r->high)
				r->bad = true;
			r->low = 0x80;
			r->high = 0xbf;
			r->more--;
			continue;
		}
		if (*p < 0x80)
			continue;
		/* What the second byte may be rules out overlong forms,
		 * surrogates and what is over U+10FFFF. */
		r->low = 0x80;
		r->high = 0xbf;
		if (*p >= 0xc2 && *p <= 0xdf)
			r->more = 1;
		else if (*p >= 0xe0 && *p <= 0xef)
			r->more = 2;
		else if (*p >= 0xf0 && *p <= 0xf4)
			r->more = 3;
		else
			r->bad = true;
		if (*p == 0xe0)
			r->low = 0xa0;
		else if (*p == 0xed)
			r->high = 0x9f;
		else if (*p == 0xf0)
			r->low = 0x90;
		else if (*p == 0xf4)
			r->high = 0x8f;
	}
}

bool
utf8_valid(const char *s, size_t n)
{
	struct utf8_reader r = { 0 };

	utf8_feed(&r, s, n);
	return !r.bad && r.more == 0;
}

bool
utf8_text(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c == 0x7f)
			return false;
		if (c == 0xc2 && i + 1 < n && (unsigned char)s[i + 1] < 0xa0)
			return false;
	}
	return utf8_valid(s, n);
}

void
utf8_clean(char *s)
{
	size_t left = strlen(s), n;

	if (utf8_text(s, left))
		return;
	for (; left > 0; s += n, left -= n) {
		for (n = 1; n <= 4 && n <= left; n++)
			if (utf8_text(s, n))
				break;
		if (n > 4 || n > left) {
			*s = '?';
			n = 1;
		}
	}
}

/* What Windows-1252 has where Latin-1 has controls, from 0x80 on. */
/* clang-format off */
static const uint16_t windows[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};
/* clang-format on */

size_t
utf8_from_windows(const char *s, size_t n, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)s[i];

		if (c >= 0x80 && c < 0xa0)
			c = windows[c - 0x80];
		if (len + 1 + (c >= 0x80) + (c >= 0x800) > size)
			return 0;
		if (c < 0x80) {
			out[len++] = (char)c;
			continue;
		}
		if (c < 0x800) {
			out[len++] = (char)(0xc0 | c >> 6);
		} else {
			out[len++] = (char)(0xe0 | c >> 12);
			out[len++] = (char)(0x80 | (c >> 6 & 0x3f));
		}
		out[len++] = (char)(0x80 | (c & 0x3f));
	}
	return len;
}
