/*
 * sasl.c - what clients answer in AUTH PLAIN and AUTH LOGIN.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/base64.h"
#include "mail/sasl.h"
#include "mail/utf8.h"

#define FIELD_MAX (SASL_MAX - 1)

/*
 * A field's bytes into an array: UTF-8 without NUL, not empty.
 */
static bool
take(char out[SASL_MAX], const char *s, size_t n)
{
	if (n == 0 || n > FIELD_MAX || memchr(s, '\0', n) != NULL ||
	    !utf8_valid(s, n))
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

/* Names go to logs and terminals: no controls, neither C0 nor C1. */
static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)s[1] < 0xa0))
			return true;
	}
	return false;
}

static bool
take_user(char out[SASL_MAX], const char *s, size_t n)
{
	return take(out, s, n) && !has_control(out);
}

/* RFC 4616 2, over decoded bytes. */
static enum sasl_result
plain(struct sasl_login *login, const char *s, size_t n)
{
	const char *user, *password, *end = s + n;
	size_t authzid, nuser;

	user = memchr(s, '\0', n);
	if (user == NULL)
		return SASL_MALFORMED;
	authzid = (size_t)(user++ - s);
	password = memchr(user, '\0', (size_t)(end - user));
	if (password == NULL)
		return SASL_MALFORMED;
	nuser = (size_t)(password++ - user);
	if (authzid > FIELD_MAX || !utf8_valid(s, authzid) ||
	    !take_user(login->user, user, nuser) ||
	    !take(login->password, password, (size_t)(end - password)))
		return SASL_MALFORMED;
	if (authzid > 0 && (authzid != nuser || !ascii_same(s, user, nuser)))
		return SASL_AUTHZID;
	return SASL_OK;
}

enum sasl_result
sasl_plain(struct sasl_login *login, const char *s, size_t n)
{
	char raw[3 * FIELD_MAX + 2];
	enum sasl_result r = SASL_MALFORMED;
	size_t len;

	if (base64_decode(s, n, raw, sizeof(raw), &len))
		r = plain(login, raw, len);
	explicit_bzero(raw, sizeof(raw));
	if (r != SASL_OK)
		explicit_bzero(login, sizeof(*login));
	return r;
}

/* One answer of LOGIN, which no standard gives a character set: Thunderbird
 * says Latin-1, and Outlook what its Windows has. */
static bool
answer(char out[SASL_MAX], const char *s, size_t n,
    bool (*take_it)(char out[SASL_MAX], const char *, size_t))
{
	char raw[FIELD_MAX], text[FIELD_MAX];
	size_t len;
	bool ok = base64_decode(s, n, raw, sizeof(raw), &len);

	if (ok && !utf8_valid(raw, len)) {
		len = utf8_from_windows(raw, len, text, sizeof(text));
		ok = take_it(out, text, len);
	} else if (ok) {
		ok = take_it(out, raw, len);
	}
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
	if (!ok)
		explicit_bzero(out, SASL_MAX);
	return ok;
}

bool
sasl_login_user(char out[SASL_MAX], const char *s, size_t n)
{
	return answer(out, s, n, take_user);
}

bool
sasl_login_password(char out[SASL_MAX], const char *s, size_t n)
{
	return answer(out, s, n, take);
}

const char *
sasl_attribute(const char **p, char name, size_t *n)
{
	const char *value = *p + 2;

	if ((*p)[0] != name || (*p)[1] != '=')
		return NULL;
	*n = strcspn(value, ",");
	*p = value + *n + (value[*n] == ',');
	return value;
}
