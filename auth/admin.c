/*
 * admin.c - see admin.h.
 *
 * A command that changes an account is a row: what it must be given, whether
 * a password is hashed first, the change (accounts.h), and the sentence for
 * each way that may end.
 */
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/admin.h"
#include "auth/admin_check.h"
#include "auth/admin_credential.h"
#include "auth/admin_import.h"
#include "auth/admin_limits.h"
#include "auth/admin_list.h"
#include "auth/admin_say.h"
#include "auth/admin_test.h"
#include "auth/book.h"
#include "auth/guard.h"
#include "auth/login_name.h"
#include "auth/peers.h"
#include "auth/scope.h"
#include "lib/log.h"

/* What a command must be given, and what follows from it. */
enum {
	ACCOUNT = 1,
	GRANT = 2,
	SECRET = 4,    /* a password, which is hashed first */
	MAYBE = 8,     /* the same, but it may be missing */
	LABEL = 16,    /* the name of a credential */
	RELOGIN = 32,  /* sessions end that were opened with the password */
	PARTING = 64,  /* ... with the credential */
	ISSUES = 128,  /* there is something to be told once */
	ALL_OUT = 256, /* all sessions of the account end */
};

/* The fields in braces are admin_say()'s. */
#define GONE   [CHANGE_ABSENT] = "no account {account}"
#define FULL   [CHANGE_NO_ROOM] = "the disk is full; nothing was changed"
#define COMMON GONE, FULL
#define SECOND \
	[CHANGE_EXISTS] = "{account} has a credential \"{label}\" already", \
	[CHANGE_TAKEN] = "this key is {owner}'s already", \
	[CHANGE_TOO_MANY] = "{account} has {credentials} credentials, and no " \
			    "account may have more: revoke one", \
	COMMON

/* clang-format off */
static const struct command {
	const char *name; /* for the log */
	unsigned needs;
	void (*look)(struct console *); /* all of a command without change */
	enum change_result (*change)(struct change *);
	const char *said[CHANGE_RESULTS];
} commands[ACCOUNT_VERBS] = {
[ACCOUNT_LIST]   = { "account.list",   0,       admin_list_accounts, NULL, { 0 } },
[ACCOUNT_SHOW]   = { "account.show",   ACCOUNT, admin_show_account,  NULL, { 0 } },
[ACCOUNT_TEST]   = { "account.test",   ACCOUNT, admin_test,          NULL, { 0 } },
[ACCOUNT_IMPORT] = { "account.import", 0,       admin_import,        NULL, { 0 } },
[ACCOUNT_EXPORT] = { "account.export", 0,       admin_export,        NULL, { 0 } },
[ACCOUNT_CHECK]  = { "account.check",  0,       admin_check,         NULL, { 0 } },
[GRANT_LIST]     = { "grant.list",     0,       admin_list_grants,   NULL, { 0 } },
[KEY_LIST]       = { "key.list",       0,       admin_list_keys,     NULL, { 0 } },
[ACCOUNT_LIMITS] = { "account.limits", ACCOUNT, admin_show_limits,   NULL, { 0 } },
[GUARD_EXPLAIN]  = { "guard.explain",  ACCOUNT, guard_explain,       NULL, { 0 } },
[ACCOUNT_LOGINS] = { "account.logins", ACCOUNT, admin_list_logins,   NULL, { 0 } },
[APP_PASSWORD_LIST] = { "app-password.list", ACCOUNT, admin_list_app_passwords, NULL, { 0 } },
[CERTIFICATE_LIST] = { "certificate.list", ACCOUNT, admin_list_certificates, NULL, { 0 } },

[ACCOUNT_ADD] = { "account.add", ACCOUNT | MAYBE, NULL, accounts_add, {
	[CHANGE_DONE] = "{added} account {account}{dumb} (undo: postern account remove {$account})",
	[CHANGE_EXISTS] = "account {account} exists already", COMMON } },
[ACCOUNT_PASSWD] = { "account.passwd", ACCOUNT | SECRET | RELOGIN, NULL, accounts_passwd, {
	[CHANGE_DONE] = "changed the password of {account}; the old one is gone", COMMON } },
[ACCOUNT_SUSPEND] = { "account.suspend", ACCOUNT, NULL, accounts_suspend, {
	[CHANGE_DONE] = "suspended {account}: no login, no new mail, queued mail is held (undo: postern account resume {$account})",
	[CHANGE_NONE] = "account {account} is suspended already, since {since} by {by}: {reason}", COMMON } },
[ACCOUNT_RESUME] = { "account.resume", ACCOUNT, NULL, accounts_resume, {
	[CHANGE_DONE] = "resumed {account}; what is still held of its mail goes out (undo: postern account suspend {$account})",
	[CHANGE_NONE] = "account {account} is active already", COMMON } },
[ACCOUNT_REMOVE] = { "account.remove", ACCOUNT, NULL, accounts_remove, {
	[CHANGE_DONE] = "removed {account} with its credentials and grants; mail it has queued is held: postern queue list --account {$account} (postern account add {$account} brings the account back, with a new password)", COMMON } },
[ACCOUNT_LEGACY_ON] = { "account.legacy-on", ACCOUNT, NULL, accounts_legacy_on, {
	[CHANGE_DONE] = "{account} may log in at listeners for old devices (undo: postern account legacy {$account} off)",
	[CHANGE_NONE] = "{account} may log in at listeners for old devices already", COMMON } },
[ACCOUNT_LEGACY_OFF] = { "account.legacy-off", ACCOUNT | ALL_OUT, NULL, accounts_legacy_off, {
	[CHANGE_DONE] = "{account} may no longer log in at listeners for old devices (undo: postern account legacy {$account} on)",
	[CHANGE_NONE] = "{account} may not log in at listeners for old devices", COMMON } },
[ACCOUNT_LIMIT] = { "account.limit", ACCOUNT, NULL, accounts_limits, {
	[CHANGE_DONE] = "changed the limits of {account} (undo: postern account limits {$account} with the value \"default\")", COMMON } },
[GRANT_ADD] = { "grant.add", ACCOUNT | GRANT, NULL, accounts_grant, {
	[CHANGE_DONE] = "{account} may send as {address} (undo: postern grant remove {$account} {$address})",
	[CHANGE_EXISTS] = "{account} may send as {address} already",
	[CHANGE_TOO_MANY] = "{account} has {grants} grants, and no account may have more: grant it @ and a domain", COMMON } },
[GRANT_REMOVE] = { "grant.remove", ACCOUNT | GRANT, NULL, accounts_revoke, {
	[CHANGE_DONE] = "{account} may no longer send as {address} (undo: postern grant add {$account} {$address})",
	[CHANGE_NOTHING] = "{account} has no grant of {address}", COMMON } },
[APP_PASSWORD_ADD] = { "app-password.add", ACCOUNT | LABEL | ISSUES, NULL, accounts_credential, {
	[CHANGE_DONE] = "made the app password \"{label}\" of {account}; it is shown this once (undo: postern account app-password revoke {$account} {$label})", SECOND } },
[APP_PASSWORD_REVOKE] = { "app-password.revoke", ACCOUNT | LABEL | PARTING, NULL, accounts_credential_revoke, {
	[CHANGE_DONE] = "revoked the app password \"{label}\" of {account}; its sessions end",
	[CHANGE_NOTHING] = "{account} has no app password \"{label}\"", COMMON } },
[CERTIFICATE_ADD] = { "certificate.add", ACCOUNT | LABEL, NULL, accounts_credential, {
	[CHANGE_DONE] = "{account} may log in with the certificate \"{label}\" (undo: postern account certificate revoke {$account} {$label})", SECOND } },
[CERTIFICATE_ISSUE] = { "certificate.issue", ACCOUNT | LABEL | ISSUES, NULL, accounts_credential, {
	[CHANGE_DONE] = "made the certificate \"{label}\" of {account} and a password for its file, shown this once (undo: postern account certificate revoke {$account} {$label})", SECOND } },
[CERTIFICATE_REVOKE] = { "certificate.revoke", ACCOUNT | LABEL | PARTING, NULL, accounts_credential_revoke, {
	[CHANGE_DONE] = "revoked the certificate \"{label}\" of {account}; its sessions end",
	[CHANGE_NOTHING] = "{account} has no certificate \"{label}\"", COMMON } },
};

/* What is new, for those that make a credential; the kind of it, for those
 * that delete one. */
static bool (*const makers[ACCOUNT_VERBS])(
    struct console *, struct credential *) = {
	[APP_PASSWORD_ADD] = admin_app_password,
	[APP_PASSWORD_REVOKE] = admin_any_app_password,
	[CERTIFICATE_ADD] = admin_certificate_add,
	[CERTIFICATE_ISSUE] = admin_certificate_issue,
	[CERTIFICATE_REVOKE] = admin_any_certificate,
};

static const enum code codes[CHANGE_RESULTS] = {
	[CHANGE_DONE] = CODE_OK,
	[CHANGE_NONE] = CODE_OK,
	[CHANGE_ABSENT] = CODE_MISSING,
	[CHANGE_NOTHING] = CODE_MISSING,
	[CHANGE_EXISTS] = CODE_EXISTS,
	[CHANGE_TAKEN] = CODE_EXISTS,
	[CHANGE_TOO_MANY] = CODE_NO,
	[CHANGE_NO_ROOM] = CODE_TEMP,
};
/* clang-format on */

/* After a change: say so to the log and the neighbours. */
static void
announce(struct console *con, const struct command *row, const struct change *c)
{
	char more[900] = "";

	if (con->address[0] != '\0')
		snprintf(
		    more, sizeof(more), " address=%s", log_quote(con->address));
	else if (row->needs & LABEL)
		snprintf(more, sizeof(more), " credential=%s",
		    log_quote(con->cmd.label));
	else if (con->cmd.verb == ACCOUNT_SUSPEND)
		snprintf(
		    more, sizeof(more), " reason=%s", log_quote(con->cmd.arg));
	log_event("admin.change", "by=%s what=%s account=%s%s",
	    log_quote(con->by), row->name, log_quote(con->login), more);
	con->count = 1;
	if (c->state != c->account.state)
		peers_tell(con->login, c->state);
	if (con->cmd.verb == ACCOUNT_RESUME)
		guard_resumed(con->login);
	if (row->needs & RELOGIN)
		peers_end_sessions(con->login, CREDENTIAL_PASSWORD);
	if (row->needs & ALL_OUT)
		peers_end_sessions(con->login, "");
	if (row->needs & PARTING)
		peers_end_sessions(con->login, con->cmd.label);
}

static void
tell_secret(struct console *con)
{
	struct msg m = { .type = MSG_ISSUED };

	m.u.issued = con->issued;
	console_row(con, &m);
	con->count = 1;
	explicit_bzero(&m, sizeof(m));
}

static void
change(struct console *con)
{
	const struct command *row = &commands[con->cmd.verb];
	struct credential credential = { 0 };
	struct change c = { .login = con->login,
		.typed = con->typed,
		.by = con->by,
		.hash = con->job.fresh,
		.scram = con->job.verifier,
		.reason = con->cmd.arg,
		.address = con->address,
		.label = con->cmd.label,
		.credential = &credential,
		.limit = con->cmd.limit };
	enum change_result r;
	char text[600];

	if (makers[con->cmd.verb] != NULL &&
	    !makers[con->cmd.verb](con, &credential))
		return;
	r = row->change(&c);
	explicit_bzero(&credential, sizeof(credential));
	if (r == CHANGE_DONE)
		announce(con, row, &c);
	if (r == CHANGE_DONE && row->needs & ISSUES)
		tell_secret(con);
	console_done(con, codes[r], "%s",
	    admin_say(text, sizeof(text), row->said[r], &c));
}

/* A command that would fail in any case hashes nothing. */
static bool
is_vain(struct console *con, const struct command *row)
{
	const struct page *page = book_find(con->login);
	bool there = page != NULL && page->state != ACC_REMOVED;
	struct change c = { .login = con->login };
	enum change_result r;
	char text[600];

	if (there == (con->cmd.verb != ACCOUNT_ADD))
		return false;
	r = there ? CHANGE_EXISTS : CHANGE_ABSENT;
	console_done(con, codes[r], "%s",
	    admin_say(text, sizeof(text), row->said[r], &c));
	return true;
}

static void
run(struct console *con, const struct command *row)
{
	if (row->look != NULL)
		row->look(con);
	else if (!(row->needs & (SECRET | MAYBE)))
		change(con);
	else if (is_vain(con, row))
		return;
	else if (con->cmd.secret[0] == '\0' && (row->needs & MAYBE))
		change(con);
	else if (!password_usable(con->cmd.secret))
		console_done(con, CODE_USAGE, "a password has 1 to %d bytes",
		    PASSWORD_MAX);
	else
		console_hash(con, HASH_MAKE, change);
}

void
admin_run(struct console *con)
{
	const struct command *row = &commands[con->cmd.verb];
	bool named = row->needs & ACCOUNT || con->cmd.account[0] != '\0';
	bool is_login;

	con->login[0] = con->typed[0] = con->address[0] = '\0';
	is_login = named && login_canonical(con->typed, con->cmd.account);
	if (is_login)
		accounts_name(con->login, con->typed);
	if (named && !is_login)
		console_done(con, CODE_USAGE,
		    "%s is not an address: an account is called like "
		    "alice@example.org",
		    log_quote(con->cmd.account));
	else if (row->needs & GRANT &&
	    !grant_canonical(con->address, con->cmd.arg))
		console_done(con, CODE_USAGE,
		    "%s is neither an address nor @ and a domain",
		    log_quote(con->cmd.arg));
	else if (row->needs & LABEL &&
	    (!scope_label_valid(con->cmd.label) ||
		strcmp(con->cmd.label, CREDENTIAL_PASSWORD) == 0))
		console_done(con, CODE_USAGE,
		    "%s is no label: 1 to 63 letters that tell the device, "
		    "and not \"password\"",
		    log_quote(con->cmd.label));
	else
		run(con, row);
}
