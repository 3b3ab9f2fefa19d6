/*
 * admin_import.c - see admin_import.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/admin_import.h"
#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "auth/t_legacy.h"
#include "auth/t_limits.h"
#include "auth/uses.h"
#include "lib/log.h"

static bool
next_look(struct console *con)
{
	struct msg m = { .type = MSG_IMPORT_ROW };
	bool more = con->import != NULL &&
	    import_look(con->import, &con->at, con->cmd.flags, &m.u.import_row);

	if (more) {
		console_row(con, &m);
		return true;
	}
	import_free(con->import);
	con->import = NULL;
	return false;
}

/* Only what is refused. */
static bool
next_refused(struct console *con)
{
	struct msg m = { .type = MSG_IMPORT_ROW };
	struct msg_import_row *r = &m.u.import_row;

	while (con->import != NULL &&
	    import_look(con->import, &con->at, con->cmd.flags, r))
		if (strcmp(r->action, "refused") == 0)
			console_row(con, &m);
	import_free(con->import);
	con->import = NULL;
	return false;
}

/* What can be told before anything is written, or else what was found then:
 * two in the file that do not go together. */
static void
tell_refused(struct console *con, const struct msg_import_row *found)
{
	struct msg m = { .type = MSG_IMPORT_ROW };

	next_refused(con);
	if (con->count > 0 || found->action[0] == '\0')
		return;
	m.u.import_row = *found;
	console_row(con, &m);
}

/* Names that stand in the file more than once. */
static void
tell_again(struct console *con, char *text, size_t size)
{
	struct msg m = { .type = MSG_IMPORT_ROW };
	size_t n = 0, again = import_nagain(con->import);

	while (import_again(con->import, &n, &m.u.import_row))
		console_row(con, &m);
	text[0] = '\0';
	if (again > 0)
		snprintf(text, size, ", left out %zu that came before", again);
}

static void
tell_done(struct console *con, const struct import_sum *sum)
{
	char again[80];

	tell_again(con, again, sizeof(again));
	import_free(con->import);
	con->import = NULL;
	con->count = sum->added + sum->updated + sum->grants;
	log_event("admin.import",
	    "by=%s added=%" PRIu64 " updated=%" PRIu64 " existed=%" PRIu64
	    " grants=%" PRIu64 " left_out=%" PRIu64,
	    log_quote(con->by), sum->added, sum->updated, sum->existed,
	    sum->grants, sum->left_out);
	if (con->cmd.flags & IMPORT_KNOWN)
		console_done(con, CODE_OK,
		    "added %" PRIu64 " grants; left out %" PRIu64
		    " of addresses that are no accounts",
		    sum->grants, sum->left_out);
	else
		console_done(con, CODE_OK,
		    "added %" PRIu64 " accounts, updated %" PRIu64
		    ", left alone %" PRIu64 " that exist%s",
		    sum->added, sum->updated, sum->existed, again);
}

static void
on_written(void *arg, enum import_result result, const struct import_sum *sum)
{
	struct console *con = arg;

	switch (result) {
	case IMPORT_DONE:
		tell_done(con, sum);
		break;
	case IMPORT_REFUSED:
		tell_refused(con, &sum->refused);
		console_done(con, CODE_NO, "nothing was imported");
		break;
	case IMPORT_NO_ROOM:
		console_done(
		    con, CODE_TEMP, "the disk is full; nothing was imported");
		break;
	}
}

void
admin_import(struct console *con)
{
	con->at = 0;
	if (con->import == NULL)
		console_done(con, CODE_OK, "there was nothing to import");
	else if (con->cmd.flags & IMPORT_DRY_RUN)
		console_list(con, next_look);
	else if (!import_run(
		     con->import, con->cmd.flags, con->by, on_written, con))
		console_done(con, CODE_TEMP,
		    "another import is under way; nothing was imported");
}

static void
send_account(struct console *con, const struct account *a)
{
	struct msg m = { .type = MSG_ITEM_ROW };
	struct msg_item *i = &m.u.item;
	struct limits limits;
	struct legacy l;

	i->item = ITEM_ACCOUNT;
	strcpy(i->account, con->at_login);
	i->state = a->state;
	strcpy(i->reason, a->reason);
	strcpy(i->by, a->by);
	i->since = a->since;
	i->created = a->created;
	i->grown = a->grown;
	i->legacy = legacy_get(NULL, con->at_login, &l);
	limits_get(NULL, con->at_login, &limits);
	memcpy(i->limit, limits.limit, sizeof(i->limit));
	console_row(con, &m);
}

static void
send_credential(
    struct console *con, const char *label, const struct credential *c)
{
	struct msg m = { .type = MSG_ITEM_ROW };
	struct msg_item *i = &m.u.item;

	i->item = ITEM_CREDENTIAL;
	strcpy(i->account, con->at_login);
	strcpy(i->name, label);
	i->kind = c->kind;
	strcpy(i->hash, c->hash);
	strcpy(i->scram, c->scram);
	strcpy(i->networks, c->networks);
	strcpy(i->senders, c->senders);
	memcpy(i->limit, c->limit, sizeof(i->limit));
	i->expires = c->expires;
	i->created = c->created;
	i->last_use = c->last_use;
	strcpy(i->last_ip, c->last_ip);
	strcpy(i->by, c->by);
	console_row(con, &m);
	explicit_bzero(&m, sizeof(m));
}

static void
send_grant(struct console *con, const char *address, const struct grant *g)
{
	struct msg m = { .type = MSG_ITEM_ROW };
	struct msg_item *i = &m.u.item;

	i->item = ITEM_GRANT;
	strcpy(i->account, con->at_login);
	strcpy(i->name, address);
	i->created = g->created;
	strcpy(i->by, g->by);
	console_row(con, &m);
}

/* One account and all that is its own. */
static bool
next_export(struct console *con)
{
	char owner[ADDR_SIZE], name[ADDR_SIZE] = "";
	char label[CREDENTIAL_LABEL] = "";
	struct credential c;
	struct account a;
	struct grant g;

	if (!account_next(NULL, con->at_login, &a))
		return false;
	send_account(con, &a);
	strcpy(owner, con->at_login);
	while (credential_next(NULL, owner, label, &c) &&
	    strcmp(owner, con->at_login) == 0)
		send_credential(con, label, &c);
	explicit_bzero(&c, sizeof(c));
	strcpy(owner, con->at_login);
	while (grant_next(NULL, owner, name, &g) &&
	    strcmp(owner, con->at_login) == 0)
		send_grant(con, name, &g);
	return true;
}

void
admin_export(struct console *con)
{
	uses_write();
	con->at_login[0] = '\0';
	log_event("admin.export", "by=%s", log_quote(con->by));
	console_list(con, next_export);
}
