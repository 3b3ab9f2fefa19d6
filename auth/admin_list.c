/*
 * admin_list.c - see admin_list.h.
 */
#include <stdio.h>
#include <string.h>

#include "auth/admin_list.h"
#include "auth/quota.h"
#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "auth/uses.h"

static void
send_account(struct operator* op, const char *login, const struct account *a)
{
	struct msg m = { .type = MSG_ACCOUNT_ROW };
	struct msg_account_row *r = &m.u.account_row;
	struct credential c;

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
	r->grants = (uint32_t)grant_count(NULL, login);
	quota_sent(login, loop_now_ms() / 1000, &r->sent_hour, &r->sent_day);
	operator_row(op, &m);
}

static bool next_account(struct operator* op)
{
	struct account a;

	if (!account_next(NULL, op->at_login, &a))
		return false;
	if (a.state != ACC_REMOVED)
		send_account(op, op->at_login, &a);
	return true;
}

void admin_list_accounts(struct operator* op)
{
	uses_write();
	op->at_login[0] = '\0';
	operator_list(op, next_account);
}

static bool next_grant(struct operator* op)
{
	struct msg m = { .type = MSG_GRANT_ROW };
	struct msg_grant_row *r = &m.u.grant_row;
	struct grant g;

	if (!grant_next(NULL, op->at_login, op->at_address, &g) ||
	    (op->login[0] != '\0' && strcmp(op->at_login, op->login) != 0))
		return false;
	snprintf(r->account, sizeof(r->account), "%s", op->at_login);
	snprintf(r->address, sizeof(r->address), "%s", op->at_address);
	snprintf(r->by, sizeof(r->by), "%s", g.by);
	r->created = g.created;
	operator_row(op, &m);
	return true;
}

/* Is there such an account, not removed?  Otherwise the command is over. */
static bool
find(struct operator* op, struct account *a)
{
	if (account_get(NULL, op->login, a) && a->state != ACC_REMOVED)
		return true;
	operator_done(op, 5, "no account %s", op->login);
	return false;
}

void admin_list_grants(struct operator* op)
{
	struct account a;

	if (op->login[0] != '\0' && !find(op, &a))
		return;
	strcpy(op->at_login, op->login);
	op->at_address[0] = '\0';
	operator_list(op, next_grant);
}

void admin_show_account(struct operator* op)
{
	struct account a;

	if (!find(op, &a))
		return;
	uses_write();
	send_account(op, op->login, &a);
	strcpy(op->at_login, op->login);
	op->at_address[0] = '\0';
	operator_list(op, next_grant);
}
