/*
 * admin_list.c - see admin_list.h.
 */
#include <stdio.h>
#include <string.h>

#include "auth/admin_list.h"
#include "auth/book.h"
#include "auth/guard.h"
#include "auth/keys.h"
#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "auth/t_legacy.h"
#include "auth/uses.h"

/* Not what is used of the limits, for that is given back as time goes. */
static void
count_sent(const char *login, struct msg_account_row *r)
{
	struct guard g;

	if (book_find(login) == NULL)
		return;
	g = guard_now(login);
	r->sent_hour = g.hour;
	r->sent_day = g.rcpts;
}

static void
send_account(struct console *con, const char *login, const struct account *a)
{
	struct msg m = { .type = MSG_ACCOUNT_ROW };
	struct msg_account_row *r = &m.u.account_row;
	struct credential c;
	struct legacy l;

	if (!credential_get(NULL, login, CREDENTIAL_PASSWORD, &c))
		memset(&c, 0, sizeof(c));
	snprintf(r->account, sizeof(r->account), "%s", login);
	snprintf(r->reason, sizeof(r->reason), "%s", a->reason);
	snprintf(r->by, sizeof(r->by), "%s", a->by);
	snprintf(r->last_ip, sizeof(r->last_ip), "%s", c.last_ip);
	snprintf(r->hash, sizeof(r->hash), "%s", password_kind(c.hash));
	r->state = a->state;
	r->since = a->since;
	r->created = a->created;
	r->last_login = c.last_use;
	r->weak = password_weak(c.hash);
	r->legacy = legacy_get(NULL, login, &l);
	r->grants = (uint32_t)grant_count(NULL, login);
	count_sent(login, r);
	console_row(con, &m);
}

static bool
next_account(struct console *con)
{
	struct account a;

	if (!account_next(NULL, con->at_login, &a))
		return false;
	if (a.state != ACC_REMOVED)
		send_account(con, con->at_login, &a);
	return true;
}

void
admin_list_accounts(struct console *con)
{
	uses_write();
	con->at_login[0] = '\0';
	console_list(con, next_account);
}

static bool
next_grant(struct console *con)
{
	struct msg m = { .type = MSG_GRANT_ROW };
	struct msg_grant_row *r = &m.u.grant_row;
	struct grant g;

	if (!grant_next(NULL, con->at_login, con->at_address, &g) ||
	    (con->login[0] != '\0' && strcmp(con->at_login, con->login) != 0))
		return false;
	snprintf(r->account, sizeof(r->account), "%s", con->at_login);
	snprintf(r->address, sizeof(r->address), "%s", con->at_address);
	snprintf(r->by, sizeof(r->by), "%s", g.by);
	r->created = g.created;
	console_row(con, &m);
	return true;
}

/* Is there such an account, not removed?  Otherwise the command is over. */
static bool
find(struct console *con, struct account *a)
{
	if (account_get(NULL, con->login, a) && a->state != ACC_REMOVED)
		return true;
	console_done(con, CODE_MISSING, "no account %s", con->login);
	return false;
}

void
admin_list_grants(struct console *con)
{
	struct account a;

	if (con->login[0] != '\0' && !find(con, &a))
		return;
	strcpy(con->at_login, con->login);
	con->at_address[0] = '\0';
	console_list(con, next_grant);
}

void
admin_show_account(struct console *con)
{
	struct account a;

	if (!find(con, &a))
		return;
	uses_write();
	send_account(con, con->login, &a);
	strcpy(con->at_login, con->login);
	con->at_address[0] = '\0';
	console_list(con, next_grant);
}

static bool
next_key(struct console *con)
{
	struct msg m = { .type = MSG_KEY_ROW };

	if (!keys_row(con->count, &m.u.key_row))
		return false;
	console_row(con, &m);
	return true;
}

void
admin_list_keys(struct console *con)
{
	console_list(con, next_key);
}
