/*
 * domain.c - names of hosts and mail domains, as text.
 */
#include <arpa/inet.h>
#include <idn2.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/lines.h"
#include "mail/utf8.h"

#define LABEL_MAX 63

/* One label, without its dots. */
static bool
label_valid(const char *s, size_t n, unsigned allow)
{
	if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_alnum(s[i]) && s[i] != '-' &&
		    !(s[i] == '_' && (allow & DOMAIN_UNDERSCORE)))
			return false;
	return true;
}

static bool
all_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!ascii_digit(s[i]))
			return false;
	return true;
}

bool
domain_valid(const char *s, size_t n, unsigned allow)
{
	const char *end, *dot;

	if (n == 0 || n >= DOMAIN_MAX)
		return false;
	end = s + n;
	while ((dot = memchr(s, '.', (size_t)(end - s))) != NULL) {
		if (!label_valid(s, (size_t)(dot - s), allow))
			return false;
		s = dot + 1;
	}
	n = (size_t)(end - s);
	/* A resolver may take a name of digits for an address. */
	return label_valid(s, n, allow) && !all_digits(s, n);
}

/* Only here is anything allocated: U-labels are rare. */
static bool
to_a_labels(const char *s, size_t n, char out[DOMAIN_MAX])
{
	char text[DOMAIN_MAX], *made = NULL;
	size_t len;
	bool ok;

	if (n >= sizeof(text) || memchr(s, '\0', n) != NULL ||
	    !utf8_valid(s, n))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (idn2_to_ascii_8z(
		text, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	len = strlen(made);
	ok = domain_valid(made, len, 0);
	if (ok)
		memcpy(out, made, len + 1);
	idn2_free(made);
	return ok;
}

bool
domain_ascii(const char *s, size_t n, char out[DOMAIN_MAX])
{
	if (lines_eight_bit(s, n))
		return to_a_labels(s, n, out);
	if (!domain_valid(s, n, 0))
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = ascii_lower(s[i]);
	out[n] = '\0';
	return true;
}

bool
domain_literal(const char *s, size_t n, char out[DOMAIN_MAX])
{
	static const char tag[] = "IPv6:";
	const size_t taglen = sizeof(tag) - 1;
	char text[INET6_ADDRSTRLEN], canonical[INET6_ADDRSTRLEN];
	unsigned char addr[16];
	int family = AF_INET;

	if (n < 2 || s[0] != '[' || s[n - 1] != ']')
		return false;
	s++;
	n -= 2;
	if (n > taglen && ascii_same(s, tag, taglen)) {
		family = AF_INET6;
		s += taglen;
		n -= taglen;
	}
	/* A NUL inside would hide from inet_pton() what is behind it. */
	if (n >= sizeof(text) || memchr(s, '\0', n) != NULL)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (inet_pton(family, text, addr) != 1 ||
	    inet_ntop(family, addr, canonical, sizeof(canonical)) == NULL)
		return false;
	snprintf(out, DOMAIN_MAX, "[%s%s]", family == AF_INET6 ? tag : "",
	    canonical);
	return true;
}
