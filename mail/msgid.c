/*
 * msgid.c - the printed form of a message's 64-bit id.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/msgid.h"

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
msgid_format(uint64_t id, char out[MSGID_SIZE])
{
	for (int i = MSGID_SIZE - 2; i >= 0; i--) {
		out[i] = digits[id & 31];
		id >>= 5;
	}
	out[MSGID_SIZE - 1] = '\0';
}

bool
msgid_parse(const char *s, uint64_t *out)
{
	uint64_t id = 0;

	if (strnlen(s, MSGID_SIZE) != MSGID_SIZE - 1)
		return false;
	for (; *s != '\0'; s++) {
		const char *digit = strchr(digits, ascii_lower(*s));

		/* 13 digits could hold 65 bits. */
		if (digit == NULL || id >> 59 != 0)
			return false;
		id = id << 5 | (uint64_t)(digit - digits);
	}
	*out = id;
	return true;
}
