/*
 * dsn_out.h - what a notice and a digest of notices are written with.
 *
 * Words of others may hold anything: what is no printable ASCII becomes "?",
 * unless the notice is an internationalised one and it is text in UTF-8.
 */
#ifndef MAIL_DSN_OUT_H
#define MAIL_DSN_OUT_H

#include "mail/dsn.h"
#include "mail/msgid.h"

#define DSN_BOUNDARY   (MSGID_SIZE + 16)
#define DSN_LINE_LIMIT 900 /* a word over this is cut: RFC 5322 2.1.1 */

struct dsn_out {
	dsn_put *put;
	void *arg;
	size_t column;
	bool utf8; /* this notice is an internationalised one (RFC 6533) */
};

/* Our own words, line ends included. */
void dsn_out_text(struct dsn_out *, const char *);
/* Bytes of somebody else's. */
void dsn_out_clean(struct dsn_out *, const char *, size_t);
/* Words, folded; lines after the first have these blanks in front. */
void dsn_out_words(struct dsn_out *, const char *indent, const char *);
/* Words on lines of their own. */
void dsn_out_lines(struct dsn_out *, const char *indent, const char *);
/* "Name:" and words behind it, folded. */
void dsn_out_field(struct dsn_out *, const char *name, const char *value);
void dsn_out_date(struct dsn_out *, const char *name, time_t);

/* The beginning of the header, up to Message-ID:. */
struct dsn_out_header {
	const char *hostname, *to, *subject;
	uint64_t id;
	time_t now;
};
void dsn_out_header(struct dsn_out *, const struct dsn_out_header *);
/* The end of it, but for the empty line: dsn_out_part() has that. */
void dsn_out_report(struct dsn_out *, const char *boundary, bool eight_bit);

void dsn_out_boundary(char boundary[DSN_BOUNDARY], uint64_t id);
/* Between the parts; the last one ends with "--". */
void dsn_out_part(struct dsn_out *, const char *boundary, const char *end);
/* The headers of the parts for people and for programs. */
void dsn_out_begin_text(struct dsn_out *);
void dsn_out_begin_status(struct dsn_out *);

/* The fields of one recipient, behind an empty line (RFC 3464 2.3). */
void dsn_out_recipient(
    struct dsn_out *, const struct dsn_recipient *, const char *action);
/* What a sender can do about a status. */
const char *dsn_out_advice(const char *status);

bool dsn_out_given(const char *);
/* It is text in UTF-8 beyond ASCII. */
bool dsn_out_beyond_ascii(const char *);
/* A notice about it must be an internationalised one. */
bool dsn_out_needs_utf8(const struct dsn_recipient *);

#endif
