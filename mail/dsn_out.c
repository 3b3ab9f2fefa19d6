/*
 * dsn_out.c - see dsn_out.h.
 */
#include <stdio.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/date.h"
#include "mail/dsn_out.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "mail/utf8.h"

enum { WIDTH = 76 }; /* what people and RFC 5322 2.1.1 like */

void
dsn_out_text(struct dsn_out *w, const char *s)
{
	w->put(w->arg, s, strlen(s));
}

void
dsn_out_clean(struct dsn_out *w, const char *s, size_t n)
{
	char clean[128];

	if (w->utf8 && utf8_text(s, n)) {
		w->put(w->arg, s, n);
		w->column += n;
		return;
	}
	while (n > 0) {
		size_t k = n < sizeof(clean) ? n : sizeof(clean);

		for (size_t i = 0; i < k; i++)
			clean[i] = ascii_print(s[i]) ? s[i] : '?';
		w->put(w->arg, clean, k);
		w->column += k;
		s += k;
		n -= k;
	}
}

/* Begin a new line, with these blanks in front. */
static void
turn(struct dsn_out *w, const char *indent)
{
	dsn_out_text(w, "\r\n");
	dsn_out_text(w, indent);
	w->column = strlen(indent);
}

void
dsn_out_words(struct dsn_out *w, const char *indent, const char *s)
{
	while (*s != '\0') {
		size_t n;

		while (*s == ' ')
			s++;
		n = strcspn(s, " ");
		if (n == 0)
			break;
		if (n > DSN_LINE_LIMIT)
			n = DSN_LINE_LIMIT;
		if (w->column > strlen(indent)) {
			if (w->column + 1 + n > WIDTH)
				turn(w, indent);
			else
				dsn_out_clean(w, " ", 1);
		}
		dsn_out_clean(w, s, n);
		s += n;
	}
}

void
dsn_out_field(struct dsn_out *w, const char *name, const char *value)
{
	dsn_out_text(w, name);
	w->column = strlen(name);
	dsn_out_words(w, " ", value);
	dsn_out_text(w, "\r\n");
}

void
dsn_out_date(struct dsn_out *w, const char *name, time_t when)
{
	char date[DATE_MAX];

	date_rfc5322(when, date);
	dsn_out_field(w, name, date);
}

void
dsn_out_lines(struct dsn_out *w, const char *indent, const char *s)
{
	dsn_out_text(w, indent);
	w->column = strlen(indent);
	dsn_out_words(w, indent, s);
	dsn_out_text(w, "\r\n");
}

const char *
dsn_out_advice(const char *status)
{
	static const struct {
		const char *status; /* one that ends in "." begins others */
		const char *text;
	} known[] = {
		{ "5.1.1",
		    "Check what stands before the @ for typing errors; if it "
		    "is right, the person no longer has this address." },
		{ "5.1.2",
		    "Check what stands behind the @ for typing errors." },
		{ "5.1.3", "Check the address for typing errors." },
		{ "5.1.10",
		    "This domain takes no mail at all; find another "
		    "address." },
		{ "5.2.1",
		    "The mailbox is switched off; reach the person in "
		    "another way." },
		{ "5.2.2",
		    "The mailbox is full; try again in some days, or reach "
		    "the person in another way." },
		{ "5.2.3", "Send a smaller message." },
		{ "5.3.4", "Send a smaller message." },
		{ "5.4.6",
		    "The other side sends its mail in a circle; its "
		    "administrator must mend that." },
		{ "5.4.7",
		    "The other side could not be reached in time; try again "
		    "later, or reach the person in another way." },
		{ "5.3.3",
		    "The other server lacks what the message asked for; send "
		    "it again without that wish." },
		{ "5.4.",
		    "Check what stands behind the @ for typing errors; if it "
		    "is right, try again later." },
		{ "5.6.3",
		    "The other server takes plain ASCII only; send the text "
		    "as a packed attachment." },
		{ "5.6.7",
		    "The other server takes plain ASCII addresses and headers "
		    "only; ask the person for such an address, or write from "
		    "one." },
		{ "5.7.30",
		    "The other server does not promise TLS all the way; send "
		    "the message without that demand, or reach the person in "
		    "another way." },
		{ "5.7.",
		    "The other side does not want this message; its answer "
		    "may say why. Its administrator, or yours, can help." },
		{ "4.4.7",
		    "The other side could not be reached in time; try again "
		    "later, or reach the person in another way." },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].status);

		if (strncmp(status, known[i].status, n) == 0 &&
		    (known[i].status[n - 1] == '.' || status[n] == '\0'))
			return known[i].text;
	}
	return "If the answer does not help you, show this notice to your "
	       "administrator.";
}

/* "Name: type; address"; to RFC 6533 3 one beyond ASCII is of type utf-8. */
static void
put_address(
    struct dsn_out *w, const char *name, const char *type, const char *address)
{
	dsn_out_text(w, name);
	dsn_out_text(w, type);
	dsn_out_text(w, "; ");
	dsn_out_clean(w, address, strlen(address));
	dsn_out_text(w, "\r\n");
}

bool
dsn_out_given(const char *s)
{
	return s != NULL && *s != '\0';
}

enum { ORCPT_TYPE_MAX = 32 };

/* The address of "type;address", its type into type[]; NULL when it is none. */
static const char *
orcpt_address(const char *orcpt, char type[ORCPT_TYPE_MAX])
{
	const char *address;
	size_t n;

	if (!dsn_out_given(orcpt) || (address = strchr(orcpt, ';')) == NULL)
		return NULL;
	n = (size_t)(address - orcpt);
	if (n == 0 || n >= ORCPT_TYPE_MAX)
		return NULL;
	memcpy(type, orcpt, n);
	type[n] = '\0';
	for (const char *p = type; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return NULL;
	return address + 1;
}

/* RFC 3464 2.3.1. */
static void
put_original_recipient(struct dsn_out *w, const char *orcpt)
{
	char type[ORCPT_TYPE_MAX];
	const char *address = orcpt_address(orcpt, type);

	if (address != NULL)
		put_address(w, "Original-Recipient: ", type, address);
}

static bool
is_eight_bit(const char *s)
{
	return s != NULL && lines_eight_bit(s, strlen(s));
}

bool
dsn_out_beyond_ascii(const char *s)
{
	return is_eight_bit(s) && utf8_text(s, strlen(s));
}

bool
dsn_out_needs_utf8(const struct dsn_recipient *r)
{
	char type[ORCPT_TYPE_MAX];

	return dsn_out_beyond_ascii(r->address) ||
	    dsn_out_beyond_ascii(orcpt_address(r->orcpt, type));
}

void
dsn_out_recipient(
    struct dsn_out *w, const struct dsn_recipient *r, const char *action)
{
	dsn_out_text(w, "\r\n");
	put_original_recipient(w, r->orcpt);
	put_address(w,
	    "Final-Recipient: ", is_eight_bit(r->address) ? "utf-8" : "rfc822",
	    r->address);
	dsn_out_field(w, "Action:", action);
	dsn_out_field(w, "Status:", r->status);
	if (r->remote != NULL)
		dsn_out_field(w, "Remote-MTA: dns;", r->remote);
	if (r->reply != NULL)
		dsn_out_field(w, "Diagnostic-Code: smtp;", r->reply);
	else if (r->reason != NULL)
		dsn_out_field(w, "Diagnostic-Code: X-Postern;", r->reason);
	if (r->last_attempt != 0)
		dsn_out_date(w, "Last-Attempt-Date:", r->last_attempt);
}

void
dsn_out_header(struct dsn_out *w, const struct dsn_out_header *h)
{
	char id[MSGID_SIZE];

	msgid_format(h->id, id);
	dsn_out_date(w, "Date:", h->now);
	dsn_out_text(w, "From: \"Mail Delivery System\" <postmaster@");
	dsn_out_clean(w, h->hostname, strlen(h->hostname));
	dsn_out_text(w, ">\r\nTo: <");
	dsn_out_clean(w, h->to, strlen(h->to));
	dsn_out_text(w, ">\r\nSubject: ");
	dsn_out_text(w, h->subject);
	dsn_out_text(w, "\r\nMessage-ID: <");
	dsn_out_text(w, id);
	dsn_out_text(w, "@");
	dsn_out_clean(w, h->hostname, strlen(h->hostname));
	dsn_out_text(w, ">\r\n");
}

/* "=_" is in no quoted-printable text, and a header line that is all boundary
 * would be no header line. */
void
dsn_out_boundary(char boundary[DSN_BOUNDARY], uint64_t id)
{
	char text[MSGID_SIZE];

	msgid_format(id, text);
	snprintf(boundary, DSN_BOUNDARY, "=_postern_%s", text);
}

void
dsn_out_report(struct dsn_out *w, const char *boundary, bool eight_bit)
{
	dsn_out_text(w,
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"");
	dsn_out_text(w, boundary);
	dsn_out_text(w, "\"\r\n");
	if (eight_bit)
		dsn_out_text(w, "Content-Transfer-Encoding: 8bit\r\n");
}

void
dsn_out_part(struct dsn_out *w, const char *boundary, const char *end)
{
	dsn_out_text(w, "\r\n--");
	dsn_out_text(w, boundary);
	dsn_out_text(w, end);
	dsn_out_text(w, "\r\n");
}

void
dsn_out_begin_text(struct dsn_out *w)
{
	dsn_out_text(w,
	    w->utf8 ? "Content-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n\r\n"
		    : "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	w->column = 0;
}

void
dsn_out_begin_status(struct dsn_out *w)
{
	dsn_out_text(w,
	    w->utf8 ? "Content-Type: message/global-delivery-status\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n\r\n"
		    : "Content-Type: message/delivery-status\r\n\r\n");
}
