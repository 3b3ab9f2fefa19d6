/*
 * domain.h - names of hosts and mail domains, as text.
 *
 * A domain is ASCII wherever it is kept or compared, in A-label form if it is
 * an internationalised one: domain_ascii() stands at the door.  No lookups.
 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a domain or an address literal and a NUL (RFC 5321 4.5.3.1.2). */
#define DOMAIN_MAX 256

/* What domain_valid() lets pass beyond RFC 5321 4.1.2. */
enum {
	DOMAIN_UNDERSCORE = 1, /* as in "_smtp._tls.example.org" */
};

/*
 * Is this a domain: labels of 1 to 63 letters, digits and hyphens, no hyphen
 * at either end of a label, 255 octets at most, and a last label that is not
 * only digits (RFC 1123 2.1)?  One label is enough.
 *
 *   s, n   borrowed; need not end in NUL
 *   allow  0 or DOMAIN_UNDERSCORE
 */
bool domain_valid(const char *s, size_t n, unsigned allow);

/*
 * Write a domain as it is kept: lower case, U-labels as A-labels (IDNA2008
 * through the non-transitional mapping of UTS #46, so capitals, wide letters
 * and ideographic dots become what they mean).
 *
 *   s, n  borrowed; UTF-8, 255 octets at most
 *   out   set when true; NUL-terminated
 *
 * False when it is no domain_valid() one, is no UTF-8 or has a label that
 * IDNA forbids.
 */
bool domain_ascii(const char *s, size_t n, char out[DOMAIN_MAX]);

/*
 * Read an address literal, "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321
 * 4.1.3), and write it in its one canonical form.
 *
 *   s, n  borrowed; with the brackets
 *   out   set when true; NUL-terminated
 *
 * False for anything else: other tags, leading zeros, zone names.
 */
bool domain_literal(const char *s, size_t n, char out[DOMAIN_MAX]);

#endif
