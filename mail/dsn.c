/*
 * dsn.c - the text of a notice.
 */
#include <stdio.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "mail/utf8.h"

enum {
	WIDTH = 76,       /* what people and RFC 5322 2.1.1 like */
	LINE_LIMIT = 900, /* a word over this is cut: RFC 5322 2.1.1 */
};

struct writer {
	dsn_put *put;
	void *arg;
	size_t column;
	bool utf8; /* this notice is an internationalised one */
};

/* Our own words, line ends included. */
static void
put(struct writer *w, const char *s)
{
	w->put(w->arg, s, strlen(s));
}

/* Bytes of somebody else's: what is not printable ASCII becomes "?", unless
 * it is text in UTF-8 that may stand here. */
static void
put_clean(struct writer *w, const char *s, size_t n)
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
turn(struct writer *w, const char *indent)
{
	put(w, "\r\n");
	put(w, indent);
	w->column = strlen(indent);
}

/* Write words; lines after the first have these blanks in front. */
static void
put_words(struct writer *w, const char *indent, const char *s)
{
	while (*s != '\0') {
		size_t n;

		while (*s == ' ')
			s++;
		n = strcspn(s, " ");
		if (n == 0)
			break;
		if (n > LINE_LIMIT)
			n = LINE_LIMIT;
		if (w->column > strlen(indent)) {
			if (w->column + 1 + n > WIDTH)
				turn(w, indent);
			else
				put_clean(w, " ", 1);
		}
		put_clean(w, s, n);
		s += n;
	}
}

/* "Name:" and words behind it, folded. */
static void
put_field(struct writer *w, const char *name, const char *value)
{
	put(w, name);
	w->column = strlen(name);
	put_words(w, " ", value);
	put(w, "\r\n");
}

static void
put_date(struct writer *w, const char *name, time_t when)
{
	char date[DATE_MAX];

	date_rfc5322(when, date);
	put_field(w, name, date);
}

/* Words on lines of their own. */
static void
put_lines(struct writer *w, const char *indent, const char *s)
{
	put(w, indent);
	w->column = strlen(indent);
	put_words(w, indent, s);
	put(w, "\r\n");
}

/* What a sender can do about a status; one that ends in "." begins others. */
static const char *
advice(const char *status)
{
	static const struct {
		const char *status, *text;
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

/* What differs between the kinds. */
static const struct {
	const char *subject, *action, *news;
} kinds[DSN_KINDS] = {
	[DSN_FAILED] = { "Your message could not be delivered", "failed",
	    "could not be delivered, and will not be tried again, for" },
	[DSN_DELAYED] = { "Your message is delayed", "delayed",
	    "has not been delivered yet for" },
	[DSN_RELAYED] = { "Your message was passed on", "relayed",
	    "was passed on to a mail server that does not say more about it, "
	    "for" },
};

/* One recipient, for people. */
static void
put_person(struct writer *w, const struct dsn *d, const struct dsn_recipient *r)
{
	put(w, "  ");
	put_clean(w, r->address, strlen(r->address));
	put(w, "\r\n");
	if (r->reply != NULL) {
		put(w, "      ");
		w->column = 6;
		put_words(w, "      ",
		    r->remote != NULL ? r->remote : "The other server");
		put_words(w, "      ", "answered:");
		put_words(w, "      ", r->reply);
		put(w, "\r\n");
	} else if (r->reason != NULL) {
		put_lines(w, "      ", r->reason);
	}
	if (d->kind == DSN_FAILED) {
		put(w, "      ");
		w->column = 6;
		put_words(w, "      ", "What to do:");
		put_words(w, "      ", advice(r->status));
		put(w, "\r\n");
	}
	put(w, "\r\n");
}

static void
put_human_part(struct writer *w, const struct dsn *d)
{
	char date[DATE_MAX], id[MSGID_SIZE];

	put(w,
	    w->utf8 ? "Content-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n\r\n"
		    : "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	w->column = 0;
	put_words(w, "", "This is the mail server");
	put_words(w, "", d->hostname);
	put(w, ".\r\n\r\n");
	date_rfc5322(d->arrived, date);
	w->column = 0;
	put_words(w, "", "Your message of");
	put_words(w, "", date);
	put_words(w, "", kinds[d->kind].news);
	put_words(
	    w, "", d->nrecipients == 1 ? "this address:" : "these addresses:");
	put(w, "\r\n\r\n");
	for (size_t i = 0; i < d->nrecipients; i++)
		put_person(w, d, &d->recipients[i]);
	w->column = 0;
	if (d->kind == DSN_DELAYED) {
		date_rfc5322(d->give_up, date);
		put_words(w, "",
		    "You need not do anything: it will be tried again until");
		put_words(w, "", date);
		put_words(w, "", "and you will be told if that does not help.");
		put(w, "\r\n\r\n");
		w->column = 0;
	}
	msgid_format(d->original_id, id);
	put_words(w, "",
	    "This notice is not about anybody else you wrote to. Whoever runs "
	    "the mail server can look the message up by its number,");
	put_words(w, "", id);
	put(w, ".\r\n");
}

/* "Name: type; address"; to RFC 6533 3 one beyond ASCII is of type utf-8. */
static void
put_address(
    struct writer *w, const char *name, const char *type, const char *address)
{
	put(w, name);
	put(w, type);
	put(w, "; ");
	put_clean(w, address, strlen(address));
	put(w, "\r\n");
}

static bool
is_given(const char *s)
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

	if (!is_given(orcpt) || (address = strchr(orcpt, ';')) == NULL)
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
put_original_recipient(struct writer *w, const char *orcpt)
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

/* RFC 3464 2, RFC 6533 4. */
static void
put_status_part(struct writer *w, const struct dsn *d)
{
	put(w,
	    w->utf8 ? "Content-Type: message/global-delivery-status\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n\r\n"
		    : "Content-Type: message/delivery-status\r\n\r\n");
	if (is_given(d->envid)) {
		put(w, "Original-Envelope-Id: ");
		put_clean(w, d->envid, strlen(d->envid));
		put(w, "\r\n");
	}
	put_field(w, "Reporting-MTA: dns;", d->hostname);
	put_date(w, "Arrival-Date:", d->arrived);
	for (size_t i = 0; i < d->nrecipients; i++) {
		const struct dsn_recipient *r = &d->recipients[i];

		put(w, "\r\n");
		put_original_recipient(w, r->orcpt);
		put_address(w, "Final-Recipient: ",
		    is_eight_bit(r->address) ? "utf-8" : "rfc822", r->address);
		put_field(w, "Action:", kinds[d->kind].action);
		put_field(w, "Status:", r->status);
		if (r->remote != NULL)
			put_field(w, "Remote-MTA: dns;", r->remote);
		if (r->reply != NULL)
			put_field(w, "Diagnostic-Code: smtp;", r->reply);
		else if (r->reason != NULL)
			put_field(w, "Diagnostic-Code: X-Postern;", r->reason);
		if (r->last_attempt != 0)
			put_date(w, "Last-Attempt-Date:", r->last_attempt);
		if (d->kind == DSN_DELAYED)
			put_date(w, "Will-Retry-Until:", d->give_up);
	}
}

/* The length of the original header that is returned: whole lines. */
static size_t
header_length(const struct dsn *d)
{
	size_t len = 0;

	if (d->header == NULL)
		return 0;
	while (len < d->header_len) {
		const char *line = d->header + len;
		const char *lf = memchr(line, '\n', d->header_len - len);
		size_t n =
		    lf != NULL ? (size_t)(lf - line) + 1 : d->header_len - len;

		if (n > DSN_HEADER_MAX - len || *line == '\n' ||
		    (n == 2 && line[0] == '\r'))
			break;
		len += n;
	}
	return len;
}

/* Whatever the header holds, these are lines of text. */
static void
put_header_lines(struct writer *w, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		const char *next = lf != NULL ? lf + 1 : end;
		const char *stop = lf != NULL ? lf : end;

		if (stop > s && stop[-1] == '\r')
			stop--;
		if (stop - s > LINE_LIMIT)
			stop = s + LINE_LIMIT;
		while (s < stop) {
			const char *from = s;

			while (s < stop &&
			    (ascii_print(*s) || *s == '\t' || (*s & 0x80)))
				s++;
			w->put(w->arg, from, (size_t)(s - from));
			if (s < stop) {
				put(w, "?");
				s++;
			}
		}
		put(w, "\r\n");
		s = next;
	}
}

/*
 * RFC 6522 4, RFC 6533 5: the header, `head` bytes, or the whole message.
 *
 *   eight_bit  what is returned is
 */
static void
put_original_part(
    struct writer *w, const struct dsn *d, size_t head, bool eight_bit)
{
	bool global = (w->utf8 || d->utf8) && utf8_valid(d->header, head) &&
	    lines_eight_bit(d->header, head);
	const char *last = d->header + d->header_len;

	put(w, "Content-Type: ");
	if (d->whole)
		put(w, global ? "message/global\r\n" : "message/rfc822\r\n");
	else
		put(w,
		    global ? "message/global-headers\r\n"
			   : "text/rfc822-headers\r\n");
	if (eight_bit)
		put(w, "Content-Transfer-Encoding: 8bit\r\n");
	put(w, "\r\n");
	if (!d->whole) {
		put_header_lines(w, d->header, head);
		return;
	}
	w->put(w->arg, d->header, d->header_len);
	if (last[-1] != '\n')
		put(w, "\r\n");
}

static void
put_header(
    struct writer *w, const struct dsn *d, const char *boundary, bool eight_bit)
{
	const char *mid = d->original_message_id;
	char id[MSGID_SIZE];

	msgid_format(d->id, id);
	put_date(w, "Date:", d->now);
	put(w, "From: \"Mail Delivery System\" <postmaster@");
	put_clean(w, d->hostname, strlen(d->hostname));
	put(w, ">\r\nTo: <");
	put_clean(w, d->to, strlen(d->to));
	put(w, ">\r\nSubject: ");
	put(w, kinds[d->kind].subject);
	put(w, "\r\nMessage-ID: <");
	put(w, id);
	put(w, "@");
	put_clean(w, d->hostname, strlen(d->hostname));
	put(w, ">\r\n");
	/* Mail programs then show the notice beside the message. */
	if (mid != NULL && mid[0] == '<' && mid[strcspn(mid, " ")] == '\0' &&
	    strchr(mid, '>') == mid + strlen(mid) - 1) {
		put_field(w, "In-Reply-To:", mid);
		put_field(w, "References:", mid);
	}
	put(w,
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"");
	put(w, boundary);
	put(w, "\"\r\n");
	if (eight_bit)
		put(w, "Content-Transfer-Encoding: 8bit\r\n");
	put(w, "\r\n");
}

static bool
is_beyond_ascii(const char *s)
{
	return is_eight_bit(s) && utf8_text(s, strlen(s));
}

/* Must it be an internationalised one (RFC 6533)? */
static bool
needs_utf8(const struct dsn *d)
{
	char type[ORCPT_TYPE_MAX];

	if (is_beyond_ascii(d->to))
		return true;
	for (size_t i = 0; i < d->nrecipients; i++)
		if (is_beyond_ascii(d->recipients[i].address) ||
		    is_beyond_ascii(
			orcpt_address(d->recipients[i].orcpt, type)))
			return true;
	return false;
}

bool
dsn_write(const struct dsn *d, dsn_put *out, void *arg)
{
	struct writer w = { .put = out, .arg = arg, .utf8 = needs_utf8(d) };
	size_t header_len = header_length(d);
	size_t returned = d->whole ? d->header_len : header_len;
	bool original = returned > 0 && lines_eight_bit(d->header, returned);
	bool eight_bit = w.utf8 || original;
	char boundary[MSGID_SIZE + 16], id[MSGID_SIZE];

	/* "=_" is in no quoted-printable text, and a header line that is
	 * all boundary would be no header line. */
	msgid_format(d->id, id);
	snprintf(boundary, sizeof(boundary), "=_postern_%s", id);
	put_header(&w, d, boundary, eight_bit);
	put(&w, "--");
	put(&w, boundary);
	put(&w, "\r\n");
	put_human_part(&w, d);
	put(&w, "\r\n--");
	put(&w, boundary);
	put(&w, "\r\n");
	put_status_part(&w, d);
	if (returned > 0) {
		put(&w, "\r\n--");
		put(&w, boundary);
		put(&w, "\r\n");
		put_original_part(&w, d, header_len, original);
	}
	put(&w, "\r\n--");
	put(&w, boundary);
	put(&w, "--\r\n");
	return eight_bit;
}
