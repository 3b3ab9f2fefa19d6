/*
 * dsn.h - the text of a notice: mail failed, is late, or went on to a server
 * that tells no more (RFC 3464, RFC 6522, RFC 6533).
 *
 * A notice has a plain part for people, a part for programs, and the header
 * of the message it is about, or all of it when its sender asked.  All strings
 * given may hold anything: what is no text is replaced, so nobody's words
 * become header lines of ours.  Addresses beyond ASCII make it an
 * internationalised one.
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* As much of the original header is returned, cut between lines. */
#define DSN_HEADER_MAX (32 * 1024)

enum dsn_kind { DSN_FAILED, DSN_DELAYED, DSN_RELAYED, DSN_KINDS };

struct dsn_recipient {
	const char *address; /* canonical */
	const char *orcpt;   /* "rfc822;bob@example.net", or NULL or "" */
	const char *status;  /* "5.1.1" */
	const char *remote;  /* the host that answered, or NULL */
	const char *reply;   /* its words, "550 5.1.1 no such user", or NULL */
	const char *reason;  /* ours, when there is no reply; or NULL */
	time_t last_attempt; /* 0: never tried */
};

/*
 * All strings are borrowed.
 */
struct dsn {
	enum dsn_kind kind;
	const char *hostname; /* ours */
	const char *to; /* the envelope sender of the original, canonical */
	uint64_t id;    /* of the notice */
	time_t now;
	uint64_t original_id;
	const char *original_message_id; /* "<...>", or NULL */
	const char *envid;               /* RFC 3461 4.4, or NULL or "" */
	time_t arrived;                  /* when we took the original */
	time_t give_up;                  /* DSN_DELAYED: when we stop trying */
	const struct dsn_recipient *recipients;
	size_t nrecipients; /* one at least */
	const char *header; /* of the original, CRLF line ends; or NULL */
	size_t header_len;
	bool whole; /* `header` is the whole message, in clean lines of 998
		     * octets at most; all of it is returned */
	bool utf8;  /* the original is an internationalised message */
};

typedef void dsn_put(void *arg, const char *, size_t);

/*
 * Write the whole notice, header and body, CRLF line ends, in as many calls
 * of put as it takes.  The caller sends it with the null return path.
 *
 * Returns whether it holds 8-bit bytes.
 */
bool dsn_write(const struct dsn *, dsn_put *put, void *arg);

#endif
