/*
 * text.c - see text.h.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/text.h"
#include "mail/utf8.h"

/* Bytes of the UTF-8 character at s, its value in *c; 0 when it is none. */
static size_t
character(const unsigned char *s, uint32_t *c)
{
	size_t n = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;

	if (strnlen((const char *)s, n) < n || !utf8_valid((const char *)s, n))
		return 0;
	*c = n == 1 ? *s : *s & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (s[i] & 0x3f);
	return n;
}

static bool
visible(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	/* Line ends, marks of direction, invisible joiners. */
	return !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	    !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff && c != 0x061c;
}

char *
text_clean(char *out, size_t size, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = 0, used, n;
	char piece[16];
	uint32_t c;

	for (; *p != '\0'; p += used) {
		used = character(p, &c);
		if (used == 0) {
			used = 1;
			n = (size_t)snprintf(
			    piece, sizeof(piece), "\\x%02x", *p);
		} else if (c == '\\') {
			n = (size_t)snprintf(piece, sizeof(piece), "\\\\");
		} else if (visible(c)) {
			n = used;
			memcpy(piece, p, n);
		} else {
			n = (size_t)snprintf(piece, sizeof(piece),
			    c < 0x80 ? "\\x%02" PRIx32 : "\\u{%" PRIx32 "}", c);
		}
		if (len + n >= size)
			break;
		memcpy(out + len, piece, n);
		len += n;
	}
	out[len] = '\0';
	return out;
}

static bool
starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t
text_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += starts_character(*s);
	return n;
}

void
text_cut(char *s, size_t columns)
{
	for (; *s != '\0'; s++)
		if (starts_character(*s) && columns-- == 0) {
			*s = '\0';
			return;
		}
}

char *
text_size(char out[TEXT_SHORT], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(out, TEXT_SHORT, "%" PRIu64, bytes);
		return out;
	}
	while (bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	if (bytes / unit >= 100 || bytes % unit == 0)
		snprintf(
		    out, TEXT_SHORT, "%" PRIu64 "%c", bytes / unit, units[i]);
	else
		snprintf(out, TEXT_SHORT, "%" PRIu64 ".%u%c", bytes / unit,
		    (unsigned)(bytes % unit * 10 / unit), units[i]);
	return out;
}

char *
text_span(char out[TEXT_SHORT], uint64_t s)
{
	if (s < 60)
		snprintf(out, TEXT_SHORT, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(out, TEXT_SHORT, "%" PRIu64 "m", s / 60);
	else if (s < 86400)
		snprintf(out, TEXT_SHORT, "%" PRIu64 "h %" PRIu64 "m", s / 3600,
		    s % 3600 / 60);
	else
		snprintf(out, TEXT_SHORT, "%" PRIu64 "d %" PRIu64 "h",
		    s / 86400, s % 86400 / 3600);
	return out;
}

char *
text_second(char out[TEXT_SHORT], uint64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(out, TEXT_SHORT, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, TEXT_SHORT, "never");
	return out;
}

char *
text_time(char out[TEXT_SHORT], uint64_t seconds)
{
	char *colon = strrchr(text_second(out, seconds), ':');

	if (colon != NULL)
		*colon = '\0';
	return out;
}
