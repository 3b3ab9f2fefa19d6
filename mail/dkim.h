/*
 * dkim.h - DKIM signatures (RFC 6376, RFC 8301, RFC 8463): what is hashed,
 * and how the field is written.  Nothing here hashes or signs.
 *
 * Header and body are canonicalised "relaxed", and the whole body counts:
 * there is no l= (RFC 6376 8.2).
 */
#ifndef MAIL_DKIM_H
#define MAIL_DKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes bytes to be hashed, in order. */
typedef void dkim_put(void *arg, const char *, size_t);

/* A body on its way (RFC 6376 3.4.4). */
struct dkim_body {
	dkim_put *put;
	void *arg;
	uint64_t blank; /* lines that count only if something follows */
	bool content;   /* the line under way has any */
	bool space;     /* blanks that count only if something follows */
	bool cr;        /* the last byte, its LF not seen */
};

void dkim_body_init(struct dkim_body *, dkim_put *, void *arg);
/* Some of the body; however it is cut into calls, the same bytes come out. */
void dkim_body_feed(struct dkim_body *, const char *, size_t);
void dkim_body_end(struct dkim_body *);

/*
 * Canonicalise one header field (RFC 6376 3.4.2).
 *
 *   field, n  borrowed; name, colon and value, folded or not, with its CRLF
 *             or without
 *
 * Puts it without a CRLF.
 */
void dkim_field(const char *field, size_t n, dkim_put *, void *arg);

#define DKIM_FIELDS 100  /* signed ones, in one message */
#define DKIM_NAMES  2048 /* bytes of h=, with its NUL */

/* Which fields of a header are signed, in the order of h=. */
struct dkim_header {
	unsigned n;
	struct {
		const char *at;
		size_t len; /* with its CRLF */
	} fields[DKIM_FIELDS];
	char names[DKIM_NAMES]; /* "From:From:To", the value of h= */
};

/*
 * Choose them.  From:, and other fields that may come once, stand in h= once
 * more than they are there, so that nobody adds another one (RFC 6376 8.15);
 * of fields that come often the last few are signed.
 *
 *   text, n  borrowed as long as *h is used; the header, with the empty line
 *            and what follows it or without
 *
 * False when there is no From: field (RFC 6376 5.4).
 */
bool dkim_header_read(struct dkim_header *h, const char *text, size_t n);

/* Put the chosen fields as they are hashed (RFC 6376 3.7). */
void dkim_header_put(const struct dkim_header *, dkim_put *, void *arg);

/*
 * The domain of the first mailbox in From:, canonical.  False when there is
 * none to be read, or it is an address literal.
 */
bool dkim_author(const char *text, size_t n, char domain[256]);

/* What stands in a signature beside b=. */
struct dkim_tags {
	const char *algorithm; /* "rsa-sha256", "ed25519-sha256" */
	const char *domain;
	const char *selector;
	uint64_t when;         /* unix seconds */
	const char *body_hash; /* base64 */
	const char *names;     /* h= */
};

#define DKIM_SIGNATURE_MAX 5120 /* bytes of a whole field with its NUL */

/*
 * Write the field up to and with "b=", folded.  To be hashed behind the
 * chosen fields it goes through dkim_field() as it is.
 *
 * Returns the length.
 */
size_t
dkim_signature_begin(char out[DKIM_SIGNATURE_MAX], const struct dkim_tags *);

/* Write the signature's base64 (folded), CRLF and NUL behind out[len].
 * Returns the new length. */
size_t dkim_signature_end(
    char out[DKIM_SIGNATURE_MAX], size_t len, const char *base64);

#endif
