/*
 * frozen.c - see frozen.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/shell.h"
#include "mail/date.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "queue/digest.h"
#include "queue/frozen.h"
#include "queue/notice.h"
#include "queue/settings.h"

static const char for_admin[] =
    "The guard of %s suspended the account\r\n\r\n"
    "    %s\r\n\r\n"
    "because it looks as if somebody else used it:\r\n\r\n"
    "    %s\r\n\r\n"
    "Nothing more is taken from it, and what it has queued is held.\r\n\r\n"
    "What was seen:       postern guard explain %s\r\n"
    "What it has queued:  postern queue list --account %s\r\n"
    "A new password:      postern account passwd %s\r\n"
    "Let it go on:        postern account resume %s --drop-held\r\n"
    "                     (or --release, when all of it was the owner's)\r\n";

static const char for_owner[] =
    "%s has suspended your account\r\n\r\n"
    "    %s\r\n\r\n"
    "because it looks as if somebody else used it:\r\n\r\n"
    "    %s\r\n\r\n"
    "No mail is taken from it until your administrator lets it go on.  If\r\n"
    "this was not you, your password is known to somebody: change it, also\r\n"
    "where else you use it, and look for unwanted programs on your "
    "devices.\r\n";

static const char table_head[] =
    "The guard of %s suspended %zu more account%s,\r\n"
    "because it looks as if somebody else used %s:\r\n\r\n";

static const char table_tail[] =
    "Nothing more is taken from them, and what they have queued is "
    "held.\r\n\r\n"
    "What was seen:       postern guard explain ADDRESS\r\n"
    "What one has queued: postern queue list --account ADDRESS\r\n"
    "A new password:      postern account passwd ADDRESS\r\n"
    "Let one go on:       the line below it in the table\r\n"
    "                     (or with --release, when all of its mail was the "
    "owner's)\r\n";

enum {
	TIME = 22,    /* columns of the table */
	ADDRESS = 40, /* at most, for what fits into them */
};

/* Take the text and make a message to somebody of it. */
static struct accept *
letter(const char *to, const char *subject, struct buf *text)
{
	struct accept *a = notice_begin(to);
	bool eight_bit = lines_eight_bit(buf_data(text), text->len);
	char date[DATE_MAX], name[MSGID_SIZE];
	struct buf b = { 0 };

	if (a != NULL) {
		date_rfc5322((time_t)(loop_wall_ms() / 1000), date);
		msgid_format(a->id, name);
		buf_addf(&b,
		    "Date: %s\r\nFrom: \"Mail Delivery System\" "
		    "<postmaster@%s>\r\n"
		    "To: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@%s>\r\n"
		    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=%s\r\n"
		    "Content-Transfer-Encoding: %s\r\n\r\n",
		    date, settings->hostname, to, subject, name,
		    settings->hostname, eight_bit ? "utf-8" : "us-ascii",
		    eight_bit ? "8bit" : "7bit");
		buf_add(&b, buf_data(text), text->len);
		notice_end(a, to, eight_bit ? TX_8BIT : 0, &b);
	}
	buf_release(text);
	return a;
}

static void
post(struct accept *a)
{
	if (a == NULL)
		return;
	snprintf(
	    a->detail, sizeof(a->detail), "kind=frozen size=%zu", a->body->len);
	spool_accept(a);
}

void
frozen_tell(const struct msg_frozen *m)
{
	const char *who = m->account;
	char postmaster[512], word[SHELL_SIZE(ADDR_SIZE)];
	struct buf text = { 0 };

	snprintf(postmaster, sizeof(postmaster), "%s%s",
	    settings->guard_notify[0] != '\0' ? settings->guard_notify
					      : "postmaster@",
	    settings->guard_notify[0] != '\0' ? "" : settings_domain());
	if (!digest_freeze(postmaster, who, m->text)) {
		shell_word(word, sizeof(word), who);
		buf_addf(&text, for_admin, settings->hostname, who, m->text,
		    word, word, word, word);
		post(letter(postmaster, "An account was suspended", &text));
	}
	buf_addf(&text, for_owner, settings->hostname, who, m->text);
	post(letter(who, "Your account was suspended", &text));
}

/* The widest of those that fit. */
static int
column(const struct digest_row *rows, size_t n)
{
	size_t widest = 0, len;

	for (size_t i = 0; i < n; i++) {
		len = strlen(rows[i].address);
		if (len > widest && len <= ADDRESS)
			widest = len;
	}
	return (int)widest;
}

struct accept *
frozen_summary(const struct digest_row *rows, size_t n)
{
	char when[DATE_MAX], subject[64], word[SHELL_SIZE(ADDR_SIZE)];
	int width = column(rows, n);
	struct buf text = { 0 };
	struct accept *a;

	buf_addf(&text, table_head, settings->hostname, n, n == 1 ? "" : "s",
	    n == 1 ? "it" : "them");
	for (size_t i = 0; i < n; i++) {
		date_rfc3339((time_t)(rows[i].answer.when / 1000), when);
		buf_addf(&text,
		    "%-*s%-*s  %s\r\n%*spostern account resume %s "
		    "--drop-held\r\n\r\n",
		    TIME, when, width, rows[i].address, rows[i].answer.text,
		    TIME, "", shell_word(word, sizeof(word), rows[i].address));
	}
	buf_add(&text, table_tail, strlen(table_tail));
	snprintf(subject, sizeof(subject), "%zu account%s suspended", n,
	    n == 1 ? " was" : "s were");
	a = letter(rows->sender, subject, &text);
	if (a != NULL)
		snprintf(a->detail, sizeof(a->detail),
		    "kind=frozen accounts=%zu size=%zu", n, a->body->len);
	return a;
}
