/*
 * address.h - one parser from text to the pair that all decisions use.
 *
 * Who may send as what is decided on a struct address and never on text, so
 * two spellings of one mailbox ("alice"@EXAMPLE.org and alice@example.org)
 * cannot be told apart by anybody.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Canonical text with NUL: 64 + "@" + 255 (RFC 5321 4.5.3.1). */
#define ADDRESS_MAX 321

/*
 *   local   what the local part means: without quotes and backslashes, its
 *           case kept (RFC 5321 2.4); UTF-8 without controls (RFC 6531 3.3),
 *           its octets as they came
 *   domain  as domain_ascii() writes it, no trailing dot; or "[192.0.2.1]" or
 *           "[IPv6:...]"
 *
 * Both end in NUL.  Both empty is the null path; a domain empty beside the
 * local "postmaster" is <Postmaster>.
 */
struct address {
	char local[65];
	char domain[256];
};

/*
 * Read "local@domain" (RFC 5321 4.1.2): all of the n bytes are one mailbox.
 *
 *   a     set when true
 *   s, n  borrowed; any bytes
 *
 * False for all else: control characters (C1 too) and NUL, quoted or not;
 * what is no UTF-8; an empty local part, even a quoted one; empty labels, a
 * trailing dot, underscores, a last label of only digits; other literals than
 * domain_literal() knows; a local part whose text is longer than 64 octets.
 * Whether UTF-8 may be used in the local part (RFC 6531) is the caller's to
 * know; a domain comes out as ASCII.
 */
bool address_parse(struct address *a, const char *s, size_t n);

/*
 * Write the canonical text, the local part quoted only if it must be.
 *
 *   a    from one of the parsers here, or checked by address_valid()
 *   out  "" for the null path, "postmaster" for <Postmaster>
 *
 * Returns the length.  For a parsed mailbox address_parse() of the text
 * gives the same pair again.
 */
size_t address_format(const struct address *a, char out[ADDRESS_MAX]);

/*
 * Could this pair have come out of address_parse()?  For pairs that have
 * come in from another process.
 */
bool address_valid(const struct address *a);

enum path_result {
	PATH_OK,
	PATH_NULL, /* <> */
	PATH_SYNTAX,
	PATH_ROUTE,    /* <@a,@b:c@d>: refused, never stripped */
	PATH_TOO_LONG, /* well-formed but over 64 or 255 octets */
};

/*
 * Read a path as it stands behind FROM: and TO:, "<local@domain>", spaces
 * before the "<" tolerated.
 *
 *   a     set on PATH_OK; emptied on PATH_NULL; otherwise undefined
 *   s, n  borrowed; more text may follow the path
 *   used  set on PATH_OK and PATH_NULL: bytes up to and with the ">"
 *   allow_postmaster  take <Postmaster> without a domain (RFC 5321 4.5.1);
 *         its pair is ("postmaster", "")
 */
enum path_result address_path(struct address *a, const char *s, size_t n,
    size_t *used, bool allow_postmaster);

/* Same domain, and same local part octet by octet (RFC 5321 2.4). */
bool address_equal(const struct address *a, const struct address *b);

/*
 * Does a grant cover an address?  It does when the domains are equal and
 *   - the grant's local part is empty or "*": any address of the domain; or
 *   - the local parts are equal but for the case of ASCII letters; or
 *   - the used one is the grant's with a "+tag" behind it.
 * Null paths and domainless pairs are never covered and never cover.
 */
bool address_matches(const struct address *grant, const struct address *used);

#endif
