/*
 * status.c - enhanced status codes.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/status.h"

/* How many digits make a number of 1 to 3 without needless zeros; 0: none. */
static size_t
number(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && ascii_digit(s[i]))
		i++;
	return i > 3 || (i > 1 && s[0] == '0') ? 0 : i;
}

size_t
status_parse(const char *s, size_t n, char out[STATUS_MAX])
{
	size_t i = 2, len;

	if (n < 5 || (s[0] != '2' && s[0] != '4' && s[0] != '5') || s[1] != '.')
		return 0;
	len = number(s + i, n - i);
	i += len;
	if (len == 0 || i == n || s[i++] != '.')
		return 0;
	len = number(s + i, n - i);
	i += len;
	if (len == 0 || (i < n && !ascii_blank(s[i])))
		return 0;
	memcpy(out, s, i);
	out[i] = '\0';
	return i;
}

bool
status_fits(const char *status, int code)
{
	return status[0] != '\0' && status[0] - '0' == code / 100;
}

const char *
status_default(int code)
{
	/* RFC 3463 3 and 4, beside the meanings of RFC 5321 4.2.3 and the
	 * RFCs that add codes (4954, 7504). */
	static const struct {
		int code;
		const char *status;
	} known[] = {
		{ 421, "4.3.2" },
		{ 451, "4.3.0" },
		{ 452, "4.3.1" },
		{ 454, "4.7.0" },
		{ 455, "4.5.4" },
		{ 500, "5.5.2" },
		{ 501, "5.5.4" },
		{ 502, "5.5.1" },
		{ 503, "5.5.1" },
		{ 504, "5.5.4" },
		{ 521, "5.3.2" },
		{ 530, "5.7.0" },
		{ 534, "5.7.9" },
		{ 535, "5.7.8" },
		{ 551, "5.1.6" },
		{ 553, "5.1.3" },
		{ 555, "5.5.4" },
		{ 556, "5.1.10" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return known[i].status;
	switch (code / 100) {
	case 2:
		return "2.0.0";
	case 4:
		return "4.0.0";
	default:
		return "5.0.0";
	}
}
