/*
 * dsn.c - the text of a notice.
 */
#include <stdio.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "mail/dsn_out.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "mail/utf8.h"

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
put_person(
    struct dsn_out *w, const struct dsn *d, const struct dsn_recipient *r)
{
	dsn_out_text(w, "  ");
	dsn_out_clean(w, r->address, strlen(r->address));
	dsn_out_text(w, "\r\n");
	if (r->reply != NULL) {
		dsn_out_text(w, "      ");
		w->column = 6;
		dsn_out_words(w, "      ",
		    r->remote != NULL ? r->remote : "The other server");
		dsn_out_words(w, "      ", "answered:");
		dsn_out_words(w, "      ", r->reply);
		dsn_out_text(w, "\r\n");
	} else if (r->reason != NULL) {
		dsn_out_lines(w, "      ", r->reason);
	}
	if (d->kind == DSN_FAILED) {
		dsn_out_text(w, "      ");
		w->column = 6;
		dsn_out_words(w, "      ", "What to do:");
		dsn_out_words(w, "      ", dsn_out_advice(r->status));
		dsn_out_text(w, "\r\n");
	}
	dsn_out_text(w, "\r\n");
}

static void
put_human_part(struct dsn_out *w, const struct dsn *d)
{
	char date[DATE_MAX], id[MSGID_SIZE];

	dsn_out_begin_text(w);
	dsn_out_words(w, "", "This is the mail server");
	dsn_out_words(w, "", d->hostname);
	dsn_out_text(w, ".\r\n\r\n");
	date_rfc5322(d->arrived, date);
	w->column = 0;
	dsn_out_words(w, "", "Your message of");
	dsn_out_words(w, "", date);
	dsn_out_words(w, "", kinds[d->kind].news);
	dsn_out_words(
	    w, "", d->nrecipients == 1 ? "this address:" : "these addresses:");
	dsn_out_text(w, "\r\n\r\n");
	for (size_t i = 0; i < d->nrecipients; i++)
		put_person(w, d, &d->recipients[i]);
	w->column = 0;
	if (d->kind == DSN_DELAYED) {
		date_rfc5322(d->give_up, date);
		dsn_out_words(w, "",
		    "You need not do anything: it will be tried again until");
		dsn_out_words(w, "", date);
		dsn_out_words(
		    w, "", "and you will be told if that does not help.");
		dsn_out_text(w, "\r\n\r\n");
		w->column = 0;
	}
	msgid_format(d->original_id, id);
	dsn_out_words(w, "",
	    "This notice is not about anybody else you wrote to. Whoever runs "
	    "the mail server can look the message up by its number,");
	dsn_out_words(w, "", id);
	dsn_out_text(w, ".\r\n");
}

/* RFC 3464 2, RFC 6533 4. */
static void
put_status_part(struct dsn_out *w, const struct dsn *d)
{
	dsn_out_begin_status(w);
	if (dsn_out_given(d->envid)) {
		dsn_out_text(w, "Original-Envelope-Id: ");
		dsn_out_clean(w, d->envid, strlen(d->envid));
		dsn_out_text(w, "\r\n");
	}
	dsn_out_field(w, "Reporting-MTA: dns;", d->hostname);
	dsn_out_date(w, "Arrival-Date:", d->arrived);
	for (size_t i = 0; i < d->nrecipients; i++) {
		dsn_out_recipient(w, &d->recipients[i], kinds[d->kind].action);
		if (d->kind == DSN_DELAYED)
			dsn_out_date(w, "Will-Retry-Until:", d->give_up);
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
put_header_lines(struct dsn_out *w, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		const char *next = lf != NULL ? lf + 1 : end;
		const char *stop = lf != NULL ? lf : end;

		if (stop > s && stop[-1] == '\r')
			stop--;
		if (stop - s > DSN_LINE_LIMIT)
			stop = s + DSN_LINE_LIMIT;
		while (s < stop) {
			const char *from = s;

			while (s < stop &&
			    (ascii_print(*s) || *s == '\t' || (*s & 0x80)))
				s++;
			w->put(w->arg, from, (size_t)(s - from));
			if (s < stop) {
				dsn_out_text(w, "?");
				s++;
			}
		}
		dsn_out_text(w, "\r\n");
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
    struct dsn_out *w, const struct dsn *d, size_t head, bool eight_bit)
{
	bool global = (w->utf8 || d->utf8) && utf8_valid(d->header, head) &&
	    lines_eight_bit(d->header, head);
	const char *last = d->header + d->header_len;

	dsn_out_text(w, "Content-Type: ");
	if (d->whole)
		dsn_out_text(
		    w, global ? "message/global\r\n" : "message/rfc822\r\n");
	else
		dsn_out_text(w,
		    global ? "message/global-headers\r\n"
			   : "text/rfc822-headers\r\n");
	if (eight_bit)
		dsn_out_text(w, "Content-Transfer-Encoding: 8bit\r\n");
	dsn_out_text(w, "\r\n");
	if (!d->whole) {
		put_header_lines(w, d->header, head);
		return;
	}
	w->put(w->arg, d->header, d->header_len);
	if (last[-1] != '\n')
		dsn_out_text(w, "\r\n");
}

static void
put_header(struct dsn_out *w, const struct dsn *d, const char *boundary,
    bool eight_bit)
{
	const char *mid = d->original_message_id;

	dsn_out_header(w,
	    &(struct dsn_out_header){
		d->hostname, d->to, kinds[d->kind].subject, d->id, d->now });
	/* Mail programs then show the notice beside the message. */
	if (mid != NULL && mid[0] == '<' && mid[strcspn(mid, " ")] == '\0' &&
	    strchr(mid, '>') == mid + strlen(mid) - 1) {
		dsn_out_field(w, "In-Reply-To:", mid);
		dsn_out_field(w, "References:", mid);
	}
	dsn_out_report(w, boundary, eight_bit);
}

/* Must it be an internationalised one (RFC 6533)? */
static bool
needs_utf8(const struct dsn *d)
{
	if (dsn_out_beyond_ascii(d->to))
		return true;
	for (size_t i = 0; i < d->nrecipients; i++)
		if (dsn_out_needs_utf8(&d->recipients[i]))
			return true;
	return false;
}

bool
dsn_write(const struct dsn *d, dsn_put *out, void *arg)
{
	struct dsn_out w = { .put = out, .arg = arg, .utf8 = needs_utf8(d) };
	size_t header_len = header_length(d);
	size_t returned = d->whole ? d->header_len : header_len;
	bool original = returned > 0 && lines_eight_bit(d->header, returned);
	bool eight_bit = w.utf8 || original;
	char boundary[DSN_BOUNDARY];

	dsn_out_boundary(boundary, d->id);
	put_header(&w, d, boundary, eight_bit);
	dsn_out_part(&w, boundary, "");
	put_human_part(&w, d);
	dsn_out_part(&w, boundary, "");
	put_status_part(&w, d);
	if (returned > 0) {
		dsn_out_part(&w, boundary, "");
		put_original_part(&w, d, header_len, original);
	}
	dsn_out_part(&w, boundary, "--");
	return eight_bit;
}
