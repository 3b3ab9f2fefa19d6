/*
 * msgid.h - the printed form of a message's 64-bit id.
 *
 * 13 characters of Crockford's base 32 in lower case, most significant
 * first: the texts sort as the ids do, and have no i, l, o or u to mistake.
 */
#ifndef MAIL_MSGID_H
#define MAIL_MSGID_H

#include <stdbool.h>
#include <stdint.h>

#define MSGID_SIZE 14 /* 13 characters and a NUL */

void msgid_format(uint64_t, char out[MSGID_SIZE]);

/*
 * Read the printed form, in either case: 13 characters that end in NUL.
 * False, and out unset, for anything else.
 */
bool msgid_parse(const char *, uint64_t *out);

#endif
