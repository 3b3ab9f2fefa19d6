/*
 * hex.c - see hex.h.
 */
#include <stdint.h>
#include <string.h>

#include "lib/hex.h"

static const char digits[] = "0123456789abcdef";

void
hex_write(const void *octets, size_t n, char *out)
{
	const uint8_t *p = octets;

	for (; n > 0; n--, p++) {
		*out++ = digits[*p >> 4];
		*out++ = digits[*p & 15];
	}
	*out = '\0';
}

/* What a digit stands for; -1 when it is none. */
static int
value(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
	    : c >= 'A' && c <= 'F'  ? c - 'A' + 10
				    : -1;
}

bool
hex_read(const char *text, void *out, size_t n)
{
	uint8_t *to = out;
	int high, low;

	for (; n > 0; n--, text += 2) {
		if ((high = value(text[0])) == -1 ||
		    (low = value(text[1])) == -1)
			return false;
		*to++ = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool
hex_is_written(const char *text, size_t n)
{
	return strspn(text, digits) == 2 * n && text[2 * n] == '\0';
}
