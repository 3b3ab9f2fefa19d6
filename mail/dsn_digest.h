/*
 * dsn_digest.h - many failures in one notice (RFC 3464): a table for people,
 * and a group of fields for each recipient.
 *
 * The messages it is about are not returned.  What a notice has of its one
 * message stands with each recipient: RFC 3464 2.4 leaves room for fields
 * that begin with X-.
 */
#ifndef MAIL_DSN_DIGEST_H
#define MAIL_DSN_DIGEST_H

#include "mail/dsn.h"

struct dsn_failure {
	struct dsn_recipient rcpt;
	uint64_t id;            /* of the message */
	const char *message_id; /* "<...>", or NULL or "" */
	const char *envid;      /* RFC 3461 4.4, or NULL or "" */
	time_t arrived;         /* when we took it */
};

/*
 * All strings are borrowed.
 */
struct dsn_digest {
	const char *hostname; /* ours */
	const char *to;       /* the envelope sender of them all, canonical */
	uint64_t id;          /* of the digest */
	time_t now;
	const struct dsn_failure *failures;
	size_t nfailures; /* one at least */
};

/* Bytes that a failure takes at most, about. */
size_t dsn_failure_size(const struct dsn_failure *);

/* As dsn_write(). */
bool dsn_digest_write(const struct dsn_digest *, dsn_put *put, void *arg);

#endif
