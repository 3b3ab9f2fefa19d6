/*
 * frozen.c - see frozen.h.
 */
#include <stdio.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "mail/date.h"
#include "mail/msgid.h"
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

static void
write_head(struct buf *b, const char *to, const char *subject, uint64_t id)
{
	char date[DATE_MAX], name[MSGID_SIZE];

	date_rfc5322((time_t)(loop_wall_ms() / 1000), date);
	msgid_format(id, name);
	buf_addf(b,
	    "Date: %s\r\nFrom: \"Mail Delivery System\" <postmaster@%s>\r\n"
	    "To: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
	    date, settings->hostname, to, subject, name, settings->hostname);
}

/* Takes a and text. */
static void
post(struct accept *a, const char *to, struct buf *text)
{
	notice_end(a, to, 0, text);
	snprintf(
	    a->detail, sizeof(a->detail), "kind=frozen size=%zu", a->body->len);
	spool_accept(a);
}

static void
tell_admin(const char *to, const struct msg_frozen *m)
{
	const char *who = m->account;
	struct accept *a = notice_begin(to);
	struct buf text = { 0 };

	if (a == NULL)
		return;
	write_head(&text, to, "An account was suspended", a->id);
	buf_addf(&text, for_admin, settings->hostname, who, m->text, who, who,
	    who, who);
	post(a, to, &text);
}

static void
tell_owner(const struct msg_frozen *m)
{
	const char *who = m->account;
	struct accept *a = notice_begin(who);
	struct buf text = { 0 };

	if (a == NULL)
		return;
	write_head(&text, who, "Your account was suspended", a->id);
	buf_addf(&text, for_owner, settings->hostname, who, m->text);
	post(a, who, &text);
}

void
frozen_tell(const struct msg_frozen *m)
{
	char postmaster[512];

	snprintf(postmaster, sizeof(postmaster), "%s%s",
	    settings->guard_notify[0] != '\0' ? settings->guard_notify
					      : "postmaster@",
	    settings->guard_notify[0] != '\0' ? "" : settings->hostname);
	tell_admin(postmaster, m);
	tell_owner(m);
}
