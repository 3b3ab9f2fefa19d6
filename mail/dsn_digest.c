/*
 * dsn_digest.c - see dsn_digest.h.
 */
#include <stdio.h>
#include <string.h>

#include "mail/dsn_digest.h"
#include "mail/dsn_out.h"

enum {
	ANSWER = 120, /* bytes of one in the table; all of it is below */
	ADDRESS = 40, /* columns, at most, for what fits into them */
	STATUS = 7,   /* columns */
	ADVICES = 8,  /* kinds of failure that are told what to do about */
	FIELDS = 400, /* bytes of names and dates of one group */
};

static size_t
length(const char *s)
{
	return s != NULL ? strlen(s) : 0;
}

size_t
dsn_failure_size(const struct dsn_failure *f)
{
	const struct dsn_recipient *r = &f->rcpt;

	/* The address is in the table as well, and lines are folded. */
	return FIELDS + ANSWER + ADDRESS + 2 * length(r->address) +
	    length(r->orcpt) + length(r->remote) +
	    2 * (length(r->reply) + length(r->reason)) + length(f->message_id) +
	    length(f->envid);
}

static const char *
answer(const struct dsn_recipient *r)
{
	return r->reply != NULL ? r->reply : r->reason != NULL ? r->reason : "";
}

static void
pad(struct dsn_out *w, size_t n)
{
	while (n-- > 0)
		dsn_out_text(w, " ");
}

/* The widest of those that fit. */
static size_t
column(const struct dsn_digest *d)
{
	size_t widest = 0, n;

	for (size_t i = 0; i < d->nfailures; i++) {
		n = strlen(d->failures[i].rcpt.address);
		if (n > widest && n <= ADDRESS)
			widest = n;
	}
	return widest;
}

static void
put_table(struct dsn_out *w, const struct dsn_digest *d)
{
	size_t width = column(d), n, k;

	for (size_t i = 0; i < d->nfailures; i++) {
		const struct dsn_recipient *r = &d->failures[i].rcpt;

		n = strlen(r->status);
		dsn_out_text(w, "  ");
		dsn_out_clean(w, r->status, n);
		pad(w, n < STATUS ? STATUS - n : 1);
		n = strlen(r->address);
		dsn_out_clean(w, r->address, n);
		pad(w, n < width ? width - n + 2 : 2);
		k = strlen(answer(r));
		dsn_out_clean(w, answer(r), k < ANSWER ? k : ANSWER);
		dsn_out_text(w, "\r\n");
	}
}

static bool
came_before(const struct dsn_digest *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(d->failures[i].rcpt.status,
			d->failures[at].rcpt.status) == 0)
			return true;
	return false;
}

/* Once for each status. */
static void
put_advice(struct dsn_out *w, const struct dsn_digest *d)
{
	unsigned told = 0;

	for (size_t i = 0; i < d->nfailures && told < ADVICES; i++) {
		const char *status = d->failures[i].rcpt.status;

		if (came_before(d, i))
			continue;
		told++;
		dsn_out_text(w, "\r\n  ");
		w->column = 2;
		dsn_out_words(w, "         ", status);
		dsn_out_words(w, "         ", dsn_out_advice(status));
	}
	dsn_out_text(w, "\r\n");
}

static void
put_human_part(struct dsn_out *w, const struct dsn_digest *d)
{
	char count[80];

	dsn_out_begin_text(w);
	dsn_out_words(w, "", "This is the mail server");
	dsn_out_words(w, "", d->hostname);
	dsn_out_text(w, ".\r\n\r\n");
	w->column = 0;
	snprintf(count, sizeof(count),
	    d->nfailures == 1
		? "What you sent could not be delivered to this address."
		: "What you sent could not be delivered to these %zu "
		  "addresses.",
	    d->nfailures);
	dsn_out_words(w, "", count);
	dsn_out_words(w, "",
	    "It will not be tried again. You had many such notices, so "
	    "these are gathered into one:");
	dsn_out_text(w, "\r\n\r\n");
	put_table(w, d);
	dsn_out_text(w, "\r\nWhat to do:\r\n");
	put_advice(w, d);
	dsn_out_text(w,
	    "\r\nThe part for programs, behind this one, tells of each which "
	    "message it is\r\nabout, and the whole answer.\r\n");
}

static void
put_status_part(struct dsn_out *w, const struct dsn_digest *d)
{
	char id[MSGID_SIZE];

	dsn_out_begin_status(w);
	dsn_out_field(w, "Reporting-MTA: dns;", d->hostname);
	for (size_t i = 0; i < d->nfailures; i++) {
		const struct dsn_failure *f = &d->failures[i];

		dsn_out_recipient(w, &f->rcpt, "failed");
		msgid_format(f->id, id);
		dsn_out_field(w, "X-Postern-Message:", id);
		dsn_out_date(w, "X-Postern-Arrival-Date:", f->arrived);
		if (dsn_out_given(f->envid))
			dsn_out_field(
			    w, "X-Postern-Original-Envelope-Id:", f->envid);
		if (dsn_out_given(f->message_id))
			dsn_out_field(
			    w, "X-Postern-Original-Message-ID:", f->message_id);
	}
}

/* Must it be an internationalised one (RFC 6533)? */
static bool
needs_utf8(const struct dsn_digest *d)
{
	if (dsn_out_beyond_ascii(d->to))
		return true;
	for (size_t i = 0; i < d->nfailures; i++)
		if (dsn_out_needs_utf8(&d->failures[i].rcpt))
			return true;
	return false;
}

bool
dsn_digest_write(const struct dsn_digest *d, dsn_put *put, void *arg)
{
	struct dsn_out w = { .put = put, .arg = arg, .utf8 = needs_utf8(d) };
	char boundary[DSN_BOUNDARY];

	dsn_out_boundary(boundary, d->id);
	dsn_out_header(&w,
	    &(struct dsn_out_header){ d->hostname, d->to,
		"Your messages could not be delivered", d->id, d->now });
	dsn_out_report(&w, boundary, w.utf8);
	dsn_out_part(&w, boundary, "");
	put_human_part(&w, d);
	dsn_out_part(&w, boundary, "");
	put_status_part(&w, d);
	dsn_out_part(&w, boundary, "--");
	return w.utf8;
}
