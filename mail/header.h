/*
 * header.h - what the server needs to know of a message header while it
 * streams by (RFC 5322), in bounded memory.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/address.h"
#include "mail/utf8.h"

#define HEADER_BYTES_MAX    (256 * 1024)
#define HEADER_RECEIVED_MAX 100 /* RFC 5321 6.3 */
#define HEADER_LINE_MAX     998 /* RFC 5322 2.1.1, without CRLF */

/* Each is a reason to refuse the message. */
enum header_fault {
	HEADER_CLEAN,
	HEADER_TOO_BIG,   /* over HEADER_BYTES_MAX */
	HEADER_BAD_FIELD, /* a line that is neither field nor continuation */
	HEADER_LONG_LINE, /* over HEADER_LINE_MAX octets */
	/* RFC 5322 3.6: at most one of each.  Two To:, Cc:, Bcc:,
	 * In-Reply-To: or References: only add up, and pass. */
	HEADER_TWO_FROM,
	HEADER_TWO_SENDER,
	HEADER_TWO_DATE,
	HEADER_TWO_REPLY_TO,
	HEADER_TWO_SUBJECT,
	HEADER_TWO_MESSAGE_ID,
	HEADER_LONG_VALUE, /* a name too long to be kept */
	HEADER_LOOP,       /* over HEADER_RECEIVED_MAX Received: fields */
};

/*
 * A header under way.  About 14 KiB, meant to live while DATA does.
 *
 * Values are unfolded (CRLF removed, blanks kept), without the blanks at
 * their ends, and not NUL-terminated unless said so.
 */
struct header_scan {
	enum header_fault fault; /* the first one */
	bool ended;      /* the body has begun, or header_finish() was called */
	bool empty;      /* ended without a single field */
	bool blank_line; /* ended by an empty line, not by a line that is no
			   * field nor by the end of the message */
	bool eight_bit;  /* a byte over 127 in the header */
	bool has_from, has_sender, has_date, has_message_id;
	bool tls_optional;       /* "TLS-Required: No" (RFC 8689 3) */
	struct utf8_reader utf8; /* of the field bodies */
	unsigned received;       /* number of Received: fields */
	size_t bytes;   /* length of the header with its empty line, as it
			    * came in */
	size_t dropped; /* how much of that header_edit() took out */
	size_t held;    /* see header_edit() */
	size_t from_len, sender_len, resent_len;
	char from[8192];
	char sender[1024];
	char resent[4096]; /* each Resent-From: and Resent-Sender:, with a NUL
			    * behind it */
	char message_id[256]; /* cut to 255, NUL at its end */

	/* The scanner's own. */
	unsigned char at;
	unsigned char field;
	unsigned char name_len;
	bool name_blank;
	bool dropping; /* the field under way is taken out */
	unsigned seen; /* a bit for each field that may come once */
	size_t line;   /* octets of this line */
	size_t message_id_len;
	size_t tls_required_len;
	char tls_required[8];
	char name[16];
};

void header_init(struct header_scan *);

/*
 * Scan some of the message, as data_read() puts it out.  However it is cut
 * into calls, the result is the same.  Behind the header this costs one
 * test, and the rest of the body need not be fed.
 *
 * A message whose very first line is no field has an empty header and is all
 * body: whoever puts lines in front of it must put an empty line behind
 * these (see blank_line), or the body's first lines become header.  Further
 * down a line that is no field is a fault, because programs differ on whether
 * the header ends there.
 */
void header_feed(struct header_scan *, const char *in, size_t n);

/*
 * The same, and take out what a submission server must not pass on: Bcc:,
 * Resent-Bcc: (RFC 5322 3.6.3) and Return-Path: (RFC 5321 4.4).  Nothing else
 * is touched.
 *
 *   p  the h->held octets that the last call left at the end of its output,
 *      followed by n new ones; changed in place
 *
 * Returns how many octets are at p now.  The last h->held of them belong to a
 * field whose name is not known yet: whoever keeps the output must be able to
 * offer them again.  0 once the header has ended.
 */
size_t header_edit(struct header_scan *, char *p, size_t n);

/* The message has ended; the last field may have had no CRLF. */
void header_finish(struct header_scan *);

/*
 * Read an address list, the value of From: or Sender: (RFC 5322 3.4, RFC 6854
 * for groups in From:): display names, comments, quoted strings, encoded
 * words, groups, folding, and the obsolete blanks and dots of 4.4.
 *
 *   value, n  borrowed
 *   out       the mailboxes in order, canonical; room for max
 *   count     set when true: how many; 0 when there are only empty groups
 *
 * False when it is no address list, holds an address that address_parse()
 * refuses or one with "=?" in its local part, a source route, no address and
 * no group, or more than max.
 */
bool header_mailboxes(const char *value, size_t n, struct address *out,
    size_t max, size_t *count);

#endif
