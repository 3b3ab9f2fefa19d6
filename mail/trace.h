/*
 * trace.h - the header lines that the server adds to a message (RFC 5321
 * 4.4).
 *
 * Received: names neither the client's address nor its login, which are
 * nobody's business but the server's; the id leads an admin to both.
 */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Enough for any trace. */
#define TRACE_MAX 1280

struct trace {
	const char *hostname; /* borrowed; a domain */
	uint64_t id;
	time_t when;
	bool esmtp, tls, auth, utf8; /* how it came, see trace_protocol() */
	bool add_date;               /* the message has no Date: */
	bool add_message_id;         /* the message has no Message-ID: */
	/* Chance, in Received: behind the id: who sees neither the message nor
	 * the journal cannot make such a line.  0: none. */
	uint64_t tag;
};

/*
 * How a message came, as Received: and logs have it: SMTP, ESMTP, ESMTPS,
 * ESMTPA, ESMTPSA (RFC 3848), UTF8SMTP... (RFC 6531 4.3).  Static storage.
 */
const char *trace_protocol(bool esmtp, bool tls, bool auth, bool utf8);

/*
 * Write the lines, each with its CRLF, folded to 78 characters where the
 * host name lets it, with a NUL behind.
 *
 *   out, size  TRACE_MAX bytes always suffice
 *
 * Returns the length; 0 when they do not fit.
 */
size_t trace_headers(const struct trace *, char *out, size_t size);

#endif
