/*
 * frozen.c - see frozen.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/date.h"
#include "mail/msgid.h"
#include "queue/frozen.h"
#include "queue/group.h"
#include "queue/settings.h"
#include "queue/spool.h"

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

static void
post(const char *to, uint64_t id, struct buf *text)
{
	uint8_t list[2 + ADDR_SIZE];
	struct bytes rcpts = { list,
		list_add(list, sizeof(list), 0, to, strlen(to)) };
	struct accept *a = accept_new();

	if (envelope_read(&a->envelope, rcpts, 1) != ENVELOPE_FINE) {
		log_event("warning", "text=%s to=%s",
		    log_quote("a notice cannot be addressed"), log_quote(to));
		accept_free(a);
	} else {
		a->id = id;
		a->row.flags = TX_BOUNCE;
		a->body = body_new(text->len);
		memcpy(a->body->data, buf_data(text), text->len);
		a->row.size = a->body->len;
		a->row.body = BODY_ROWS;
		a->row.accepted = (uint64_t)loop_wall_ms();
		a->no_delay_notice = true;
		snprintf(a->detail, sizeof(a->detail), "kind=frozen size=%zu",
		    a->body->len);
		spool_accept(a);
	}
	buf_release(text);
}

void
frozen_tell(const struct msg_frozen *m)
{
	const char *who = m->account;
	char postmaster[512];
	struct buf text = { 0 };
	uint64_t id = group_new_id();

	snprintf(postmaster, sizeof(postmaster), "%s%s",
	    settings->guard_notify[0] != '\0' ? settings->guard_notify
					      : "postmaster@",
	    settings->guard_notify[0] != '\0' ? "" : settings->hostname);
	write_head(&text, postmaster, "An account was suspended", id);
	buf_addf(&text, for_admin, settings->hostname, who, m->text, who, who,
	    who, who);
	post(postmaster, id, &text);
	id = group_new_id();
	write_head(&text, who, "Your account was suspended", id);
	buf_addf(&text, for_owner, settings->hostname, who, m->text);
	post(who, id, &text);
}
