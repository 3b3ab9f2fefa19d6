/*
 * sasl.h - what clients answer in AUTH PLAIN (RFC 4616) and AUTH LOGIN.
 */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

#include <stdbool.h>
#include <stddef.h>

#define SASL_MAX 256 /* 255 octets (RFC 4616 2) and a NUL */

/*
 * A secret: whoever has read it last wipes it.
 */
struct sasl_login {
	char
	    user[SASL_MAX]; /* UTF-8 without controls, as the client typed it */
	char password[SASL_MAX]; /* UTF-8 */
};

enum sasl_result {
	SASL_OK,
	SASL_MALFORMED, /* 501 5.5.2: base64, grammar, lengths, UTF-8 */
	SASL_AUTHZID,   /* wants to act as somebody else: 535 5.7.8 */
};

/*
 * Read a PLAIN response: [authzid] NUL authcid NUL passwd, in base64, with
 * nothing behind.  The authzid must be empty or the authcid but for case.
 *
 *   login  set on SASL_OK; otherwise wiped
 *   s, n   borrowed; as it came, without CRLF
 */
enum sasl_result sasl_plain(struct sasl_login *login, const char *s, size_t n);

/*
 * Read one answer of LOGIN: the user name, or the password.  What is not
 * UTF-8 is taken for Windows-1252.
 *
 *   out   1 to 255 octets of UTF-8 without NUL when true; otherwise wiped
 *   s, n  borrowed; as it came, without CRLF
 */
bool sasl_login_user(char out[SASL_MAX], const char *s, size_t n);
bool sasl_login_password(char out[SASL_MAX], const char *s, size_t n);

/*
 * An attribute of a SCRAM message (RFC 5802 5.1): the value of `name` at *p
 * ("n=value,"), up to a comma or the end; *p moves behind the comma.  NULL
 * when it is not that one.
 */
const char *sasl_attribute(const char **p, char name, size_t *n);

#endif
