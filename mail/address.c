/*
 * address.c - one parser from text to the pair that all decisions use.
 *
 * It reads forward and never searches: where the local part ends is where
 * its grammar says, so an "@" or ">" inside quotes cannot be mistaken.
 */
#include <string.h>

#include "mail/address.h"
#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/lines.h"
#include "mail/utf8.h"

#define LOCAL_MAX 64 /* RFC 5321 4.5.3.1.1, quotes and backslashes included */

/* RFC 5322 3.2.3, RFC 6532 3.2. */
static bool
is_atext(char c)
{
	return ascii_alnum(c) || (c & 0x80) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Read a local part at *s and leave *s behind it. */
static enum path_result
scan_local(char out[LOCAL_MAX + 1], const char **s, const char *end)
{
	const char *p = *s;
	size_t n = 0;

	if (p < end && *p == '"') {
		for (p++; p < end && *p != '"'; p++) {
			if (*p == '\\' && (++p == end || (*p & 0x80)))
				return PATH_SYNTAX;
			if (!ascii_print(*p) && !(*p & 0x80))
				return PATH_SYNTAX;
			if (n < LOCAL_MAX)
				out[n] = *p;
			n++;
		}
		if (p == end)
			return PATH_SYNTAX;
		p++;
	} else {
		for (; p < end && (*p == '.' || is_atext(*p)); p++) {
			if (*p == '.' && (n == 0 || p[-1] == '.'))
				return PATH_SYNTAX;
			if (n < LOCAL_MAX)
				out[n] = *p;
			n++;
		}
		if (n > 0 && p[-1] == '.')
			return PATH_SYNTAX;
	}
	if (n == 0)
		return PATH_SYNTAX;
	n = (size_t)(p - *s);
	if (lines_eight_bit(*s, n) && !utf8_text(*s, n))
		return PATH_SYNTAX;
	*s = p;
	return n > LOCAL_MAX ? PATH_TOO_LONG : PATH_OK;
}

/* Read a domain or a literal at *s and leave *s behind it. */
static enum path_result
scan_domain(char out[DOMAIN_MAX], const char **s, const char *end)
{
	const char *p = *s;
	size_t n;

	if (p < end && *p == '[') {
		p = memchr(p, ']', (size_t)(end - p));
		if (p == NULL)
			return PATH_SYNTAX;
		p++;
		if (!domain_literal(*s, (size_t)(p - *s), out))
			return PATH_SYNTAX;
		*s = p;
		return PATH_OK;
	}
	while (p < end &&
	    (ascii_alnum(*p) || *p == '-' || *p == '.' || (*p & 0x80)))
		p++;
	n = (size_t)(p - *s);
	if (n >= DOMAIN_MAX) {
		*s = p;
		return PATH_TOO_LONG;
	}
	if (!domain_ascii(*s, n, out))
		return PATH_SYNTAX;
	*s = p;
	return PATH_OK;
}

static enum path_result
scan_mailbox(struct address *a, const char **s, const char *end)
{
	enum path_result local, domain;

	/* The unused rest is zero too: pairs may be compared and sent whole. */
	memset(a, 0, sizeof(*a));
	local = scan_local(a->local, s, end);
	if (local == PATH_SYNTAX || *s == end || **s != '@')
		return PATH_SYNTAX;
	++*s;
	domain = scan_domain(a->domain, s, end);
	if (domain == PATH_SYNTAX)
		return PATH_SYNTAX;
	return local == PATH_OK ? domain : local;
}

bool
address_parse(struct address *a, const char *s, size_t n)
{
	struct address read;
	const char *end = s + n;

	if (scan_mailbox(&read, &s, end) != PATH_OK || s != end)
		return false;
	*a = read;
	return true;
}

enum path_result
address_path(struct address *a, const char *s, size_t n, size_t *used,
    bool allow_postmaster)
{
	static const char postmaster[] = "<postmaster>";
	const size_t pmlen = sizeof(postmaster) - 1;
	const char *p = s, *end = s + n;
	enum path_result r;

	while (p < end && *p == ' ')
		p++;
	if (end - p < 2 || *p != '<')
		return PATH_SYNTAX;
	if (p[1] == '>') {
		memset(a, 0, sizeof(*a));
		*used = (size_t)(p + 2 - s);
		return PATH_NULL;
	}
	if (p[1] == '@')
		return PATH_ROUTE;
	if (allow_postmaster && (size_t)(end - p) >= pmlen &&
	    ascii_same(p, postmaster, pmlen)) {
		memset(a, 0, sizeof(*a));
		memcpy(a->local, postmaster + 1, pmlen - 2);
		*used = (size_t)(p - s) + pmlen;
		return PATH_OK;
	}
	p++;
	r = scan_mailbox(a, &p, end);
	if (r == PATH_SYNTAX || p == end || *p != '>')
		return PATH_SYNTAX;
	*used = (size_t)(p + 1 - s);
	return r;
}

/* Is it a dot-string as it stands? */
static bool
is_dot_string(const char *s)
{
	char before = '.';

	for (; *s != '\0'; before = *s++)
		if (*s == '.' ? before == '.' : !is_atext(*s))
			return false;
	return before != '.';
}

size_t
address_format(const struct address *a, char out[ADDRESS_MAX])
{
	char local[2 * LOCAL_MAX + 3];
	size_t n = 0, nd = strnlen(a->domain, sizeof(a->domain));

	if (a->local[0] == '\0' || is_dot_string(a->local)) {
		n = strnlen(a->local, LOCAL_MAX);
		memcpy(local, a->local, n);
	} else {
		local[n++] = '"';
		for (const char *p = a->local; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				local[n++] = '\\';
			local[n++] = *p;
		}
		local[n++] = '"';
	}
	/* Only a pair that no parser made has more than 64 octets here. */
	if (n > LOCAL_MAX || nd >= DOMAIN_MAX) {
		out[0] = '\0';
		return 0;
	}
	memcpy(out, local, n);
	if (nd > 0) {
		out[n++] = '@';
		memcpy(out + n, a->domain, nd);
		n += nd;
	}
	out[n] = '\0';
	return n;
}

bool
address_valid(const struct address *a)
{
	struct address again;
	char text[ADDRESS_MAX];
	size_t n;

	if (memchr(a->local, '\0', sizeof(a->local)) == NULL ||
	    memchr(a->domain, '\0', sizeof(a->domain)) == NULL)
		return false;
	n = address_format(a, text);
	return address_parse(&again, text, n) && address_equal(a, &again);
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return strcmp(a->local, b->local) == 0 &&
	    strcmp(a->domain, b->domain) == 0;
}

bool
address_matches(const struct address *grant, const struct address *used)
{
	size_t n = strlen(grant->local);

	if (grant->domain[0] == '\0' || used->local[0] == '\0' ||
	    strcmp(grant->domain, used->domain) != 0)
		return false;
	if (n == 0 || strcmp(grant->local, "*") == 0)
		return true;
	return strlen(used->local) >= n &&
	    ascii_same(grant->local, used->local, n) &&
	    (used->local[n] == '\0' || used->local[n] == '+');
}
