/*
 * spelling.c - see spelling.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "auth/spelling.h"

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool
normalize(uninorm_t form, const char *s, char out[SPELLING_MAX])
{
	size_t n = SPELLING_MAX - 1;
	uint8_t *to = (uint8_t *)out, *made;

	if (u8_check((const uint8_t *)s, strlen(s)) != NULL)
		return false;
	made = u8_normalize(form, (const uint8_t *)s, strlen(s), to, &n);
	if (made != to) { /* it did not fit, or there was no memory */
		if (made != NULL)
			explicit_bzero(made, n);
		return false;
	}
	out[n] = '\0';
	return true;
}

/* Every letter of a composed string as one byte. */
static bool
latin1(const char *composed, char out[SPELLING_MAX])
{
	const uint8_t *p = (const uint8_t *)composed;
	size_t n = 0;
	ucs4_t letter;

	for (; *p != '\0'; p += u8_mbtouc(&letter, p, strlen((char *)p))) {
		u8_mbtouc(&letter, p, strlen((const char *)p));
		if (letter > 0xff)
			return false;
		out[n++] = (char)letter;
	}
	out[n] = '\0';
	return true;
}

bool
spelling_of(const char *secret, int n, char out[SPELLING_MAX])
{
	char composed[SPELLING_MAX];
	bool ok;

	if (n == 0) {
		snprintf(out, SPELLING_MAX, "%s", secret);
		return true;
	}
	if (is_ascii(secret) || !normalize(UNINORM_NFC, secret, composed))
		return false;
	if (strcmp(composed, secret) == 0)
		n++;
	if (n == 1)
		memcpy(out, composed, sizeof(composed));
	ok = n == 1 || (n == 2 && latin1(composed, out));
	explicit_bzero(composed, sizeof(composed));
	return ok;
}

void
spelling_compose(const char *secret, char out[SPELLING_MAX])
{
	if (is_ascii(secret) || !normalize(UNINORM_NFC, secret, out))
		snprintf(out, SPELLING_MAX, "%s", secret);
}

void
spelling_prepare(const char *secret, char out[SPELLING_MAX])
{
	if (is_ascii(secret) || !normalize(UNINORM_NFKC, secret, out))
		snprintf(out, SPELLING_MAX, "%s", secret);
}

bool
spelling_fold(const char *name, char out[SPELLING_MAX])
{
	size_t n = SPELLING_MAX - 1;
	const uint8_t *from = (const uint8_t *)name;
	uint8_t *to = (uint8_t *)out, *made;

	if (is_ascii(name) || u8_check(from, strlen(name)) != NULL)
		return false;
	made = u8_tolower(from, strlen(name), NULL, UNINORM_NFC, to, &n);
	if (made != to) {
		free(made);
		return false;
	}
	out[n] = '\0';
	return true;
}
