/*
 * admin_credential.c - see admin_credential.h.
 */
#include <stdio.h>
#include <string.h>

#include "auth/admin_credential.h"
#include "auth/app_password.h"
#include "auth/authority.h"
#include "auth/quota.h"
#include "auth/scope.h"
#include "auth/t_account.h"
#include "auth/t_logins.h"
#include "auth/uses.h"
#include "lib/hex.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sha256.h"

/* The scope of a new credential, as the command has it. */
static bool
read_scope(struct console *con, struct credential *c)
{
	const struct msg_account_cmd *cmd = &con->cmd;

	if (!scope_networks_valid(cmd->networks)) {
		console_done(con, CODE_USAGE,
		    "%s is no list of networks: 192.0.2.0/24, 2001:db8::/32",
		    log_quote(cmd->networks));
		return false;
	}
	if (!scope_senders_valid(cmd->senders)) {
		console_done(con, CODE_USAGE,
		    "%s is no list of addresses, or of @ and a domain",
		    log_quote(cmd->senders));
		return false;
	}
	for (int l = 0; l < LIMITS; l++)
		if (cmd->limit[l] > LIMIT_HIGHEST) {
			console_done(con, CODE_USAGE, "a limit is too high");
			return false;
		}
	strcpy(c->networks, cmd->networks);
	strcpy(c->senders, cmd->senders);
	memcpy(c->limit, cmd->limit, sizeof(c->limit));
	c->expires = cmd->expires;
	return true;
}

bool
admin_any_app_password(struct console *con, struct credential *c)
{
	(void)con;
	c->kind = CREDENTIAL_APP;
	return true;
}

bool
admin_app_password(struct console *con, struct credential *c)
{
	c->kind = CREDENTIAL_APP;
	if (!read_scope(con, c))
		return false;
	if (app_password_make(con->issued.secret, c->hash))
		return true;
	console_done(con, CODE_TEMP, "the system has no randomness");
	return false;
}

bool
admin_any_certificate(struct console *con, struct credential *c)
{
	(void)con;
	c->kind = CREDENTIAL_KEY;
	return true;
}

bool
admin_certificate_add(struct console *con, struct credential *c)
{
	const char *key = con->cmd.arg;

	c->kind = CREDENTIAL_KEY;
	if (!read_scope(con, c))
		return false;
	if (!hex_is_written(key, SHA256_SIZE)) {
		console_done(con, CODE_USAGE,
		    "%s is no SHA-256 of a public key", log_quote(key));
		return false;
	}
	strcpy(c->hash, key);
	return true;
}

/* The file opens with a password like those for apps; its digest is of no
 * use to anybody. */
bool
admin_certificate_issue(struct console *con, struct credential *c)
{
	char unused[APP_PASSWORD_DIGEST];
	size_t n;

	c->kind = CREDENTIAL_KEY;
	if (!read_scope(con, c))
		return false;
	if (!app_password_make(con->issued.secret, unused) ||
	    !authority_issue(con->login, con->cmd.label, c->expires,
		con->issued.secret, con->file, sizeof(con->file), &n,
		c->hash)) {
		console_done(
		    con, CODE_TEMP, "cannot make a key and a certificate");
		return false;
	}
	con->issued.file = (struct bytes){ con->file, n };
	return true;
}

static void
send_row(struct console *con, const struct credential *c)
{
	struct msg m = { .type = MSG_CREDENTIAL_ROW };
	struct msg_credential_row *r = &m.u.credential_row;

	strcpy(r->account, con->login);
	strcpy(r->label, con->at_address);
	r->kind = c->kind;
	strcpy(r->networks, c->networks);
	strcpy(r->senders, c->senders);
	memcpy(r->limit, c->limit, sizeof(r->limit));
	quota_used(con->login, con->at_address, c->limit,
	    (uint64_t)loop_wall_ms(), r->used);
	r->expires = c->expires;
	r->created = c->created;
	strcpy(r->by, c->by);
	r->last_use = c->last_use;
	strcpy(r->last_ip, c->last_ip);
	if (c->kind == CREDENTIAL_KEY)
		snprintf(r->key, sizeof(r->key), "%.64s", c->hash);
	console_row(con, &m);
}

static bool
next_of(struct console *con, enum credential_kind kind)
{
	struct credential c;

	if (!credential_next(NULL, con->at_login, con->at_address, &c) ||
	    strcmp(con->at_login, con->login) != 0)
		return false;
	if (c.kind == kind)
		send_row(con, &c);
	explicit_bzero(&c, sizeof(c));
	return true;
}

static bool
next_app_password(struct console *con)
{
	return next_of(con, CREDENTIAL_APP);
}

static bool
next_certificate(struct console *con)
{
	return next_of(con, CREDENTIAL_KEY);
}

static void
list(struct console *con, bool (*next)(struct console *))
{
	struct account a;

	if (!account_get(NULL, con->login, &a) || a.state == ACC_REMOVED) {
		console_done(con, CODE_MISSING, "no account %s", con->login);
		return;
	}
	uses_write();
	strcpy(con->at_login, con->login);
	con->at_address[0] = '\0';
	con->at = 0;
	console_list(con, next);
}

void
admin_list_app_passwords(struct console *con)
{
	list(con, next_app_password);
}

void
admin_list_certificates(struct console *con)
{
	list(con, next_certificate);
}

static bool
next_login(struct console *con)
{
	struct msg m = { .type = MSG_LOGIN_ROW };
	struct msg_login_row *r = &m.u.login_row;
	char buf[STORE_ROW_MAX];
	struct login_entry e;

	if (!logins_get(NULL, con->login, (unsigned)con->at++, buf, &e))
		return false;
	r->time = e.time;
	snprintf(r->ip, sizeof(r->ip), "%s", e.ip);
	snprintf(r->mech, sizeof(r->mech), "%s", e.mech);
	snprintf(r->result, sizeof(r->result), "%s",
	    e.why[0] != '\0' ? e.why : "ok");
	snprintf(r->credential, sizeof(r->credential), "%s", e.label);
	console_row(con, &m);
	return true;
}

void
admin_list_logins(struct console *con)
{
	list(con, next_login);
}
