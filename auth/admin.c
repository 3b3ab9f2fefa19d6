/*
 * admin.c - see admin.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/accounts.h"
#include "auth/admin.h"
#include "auth/admin_list.h"
#include "auth/book.h"
#include "auth/login_name.h"
#include "auth/peers.h"
#include "auth/throttle.h"
#include "lib/log.h"
#include "lib/net.h"

static void add(struct console *), passwd(struct console *),
    suspend(struct console *), resume(struct console *),
    erase(struct console *), test(struct console *), grant(struct console *),
    revoke(struct console *);

enum { ACCOUNT = 1, GRANT = 2 }; /* what a command must be given */

/* clang-format off */
static const struct command {
	const char *name; /* for the log */
	unsigned needs;
	void (*run)(struct console *);
} commands[ACCOUNT_VERBS] = {
[ACCOUNT_ADD]     = { "account.add",     ACCOUNT,         add },
[ACCOUNT_LIST]    = { "account.list",    0,               admin_list_accounts },
[ACCOUNT_SHOW]    = { "account.show",    ACCOUNT,         admin_show_account },
[ACCOUNT_PASSWD]  = { "account.passwd",  ACCOUNT,         passwd },
[ACCOUNT_SUSPEND] = { "account.suspend", ACCOUNT,         suspend },
[ACCOUNT_RESUME]  = { "account.resume",  ACCOUNT,         resume },
[ACCOUNT_REMOVE]  = { "account.remove",  ACCOUNT,         erase },
[ACCOUNT_TEST]    = { "account.test",    ACCOUNT,         test },
[GRANT_ADD]       = { "grant.add",       ACCOUNT | GRANT, grant },
[GRANT_LIST]      = { "grant.list",      0,               admin_list_grants },
[GRANT_REMOVE]    = { "grant.remove",    ACCOUNT | GRANT, revoke },
};
/* clang-format on */

void
admin_run(struct console *con)
{
	const struct command *c = &commands[con->cmd.verb];

	con->login[0] = con->address[0] = '\0';
	if ((c->needs & ACCOUNT || con->cmd.account[0] != '\0') &&
	    !login_canonical(con->login, con->cmd.account))
		console_done(con, DONE_USAGE,
		    "%s is not an address: an account is called like "
		    "alice@example.org",
		    log_quote(con->cmd.account));
	else if (c->needs & GRANT &&
	    !grant_canonical(con->address, con->cmd.arg))
		console_done(con, DONE_USAGE,
		    "%s is neither an address nor @ and a domain",
		    log_quote(con->cmd.arg));
	else
		c->run(con);
}

static struct change
change_of(const struct console *con)
{
	return (struct change){ .login = con->login,
		.by = con->by,
		.hash = con->job.fresh,
		.reason = con->cmd.arg,
		.address = con->address };
}

/* After a change: say so to the log and the neighbours. */
static void
announce(struct console *con, const struct change *c, enum account_state state)
{
	const char *what = commands[con->cmd.verb].name;

	if (con->address[0] != '\0')
		log_event("admin.change", "by=%s what=%s account=%s address=%s",
		    log_quote(con->by), what, log_quote(con->login),
		    log_quote(con->address));
	else if (con->cmd.verb == ACCOUNT_SUSPEND)
		log_event("admin.change", "by=%s what=%s account=%s reason=%s",
		    log_quote(con->by), what, log_quote(con->login),
		    log_quote(con->cmd.arg));
	else
		log_event("admin.change", "by=%s what=%s account=%s",
		    log_quote(con->by), what, log_quote(con->login));
	con->count = 1;
	if (state != c->account.state)
		peers_tell(con->login, state);
}

static const char *
date(uint64_t seconds, char out[24])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	strftime(out, 24, "%Y-%m-%d %H:%M UTC", gmtime_r(&t, &tm));
	return out;
}

/* What can go wrong with any change. */
static void
fail(struct console *con, enum change_result r)
{
	if (r == CHANGE_NO_ROOM)
		console_done(
		    con, DONE_TEMP, "the disk is full; nothing was changed");
	else
		console_done(con, DONE_ABSENT, "no account %s", con->login);
}

static void
add_hashed(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_add(&c);

	if (r == CHANGE_EXISTS) {
		console_done(
		    con, DONE_EXISTS, "account %s exists already", con->login);
		return;
	}
	if (r != CHANGE_DONE) {
		fail(con, r);
		return;
	}
	announce(con, &c, ACC_ACTIVE);
	console_done(con, DONE_OK,
	    "%s account %s%s (undo: postern account "
	    "remove %s)",
	    c.account.state == ACC_REMOVED ? "brought back" : "added",
	    con->login,
	    c.hash[0] == '\0' ? " without a password: it cannot log in" : "",
	    con->login);
}

static void
add(struct console *con)
{
	const struct page *page = book_find(con->login);

	if (page != NULL && page->state != ACC_REMOVED)
		console_done(
		    con, DONE_EXISTS, "account %s exists already", con->login);
	else if (con->cmd.secret[0] == '\0')
		add_hashed(con);
	else
		console_hash(con, HASH_MAKE, add_hashed);
}

static void
passwd_hashed(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_passwd(&c);

	if (r != CHANGE_DONE) {
		fail(con, r);
		return;
	}
	announce(con, &c, (enum account_state)c.account.state);
	peers_end_sessions(con->login);
	console_done(con, DONE_OK,
	    "changed the password of %s; the old one is gone", con->login);
}

static void
passwd(struct console *con)
{
	const struct page *page = book_find(con->login);

	if (page == NULL || page->state == ACC_REMOVED)
		fail(con, CHANGE_ABSENT);
	else if (!password_usable(con->cmd.secret))
		console_done(con, DONE_USAGE, "a password has 1 to %d bytes",
		    PASSWORD_MAX);
	else
		console_hash(con, HASH_MAKE, passwd_hashed);
}

static void
suspend(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_suspend(&c);
	char when[24];

	if (r == CHANGE_NONE) {
		console_done(con, DONE_OK,
		    "account %s is suspended already, since %s by %s: %s",
		    con->login, date(c.account.since, when), c.account.by,
		    c.account.reason);
		return;
	}
	if (r != CHANGE_DONE) {
		fail(con, r);
		return;
	}
	announce(con, &c, ACC_SUSPENDED);
	console_done(con, DONE_OK,
	    "suspended %s: no login, no new mail, queued mail is held (undo: "
	    "postern account resume %s)",
	    con->login, con->login);
}

static void
resume(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_resume(&c);

	if (r == CHANGE_NONE) {
		console_done(
		    con, DONE_OK, "account %s is active already", con->login);
		return;
	}
	if (r != CHANGE_DONE) {
		fail(con, r);
		return;
	}
	announce(con, &c, ACC_ACTIVE);
	console_done(con, DONE_OK,
	    "resumed %s; its held mail goes out (undo: postern account suspend "
	    "%s)",
	    con->login, con->login);
}

static void
erase(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_remove(&c);

	if (r != CHANGE_DONE) {
		fail(con, r);
		return;
	}
	announce(con, &c, ACC_REMOVED);
	console_done(con, DONE_OK,
	    "removed %s with its password and grants; mail it has queued is "
	    "held: postern queue list --account %s (postern account add %s "
	    "brings the account back, with a new password)",
	    con->login, con->login, con->login);
}

/* The account may be used and the password is right; what else? */
static void
test_throttle(struct console *con)
{
	char net[NET_TEXT + 4];
	int64_t wait_ms = 0;

	net_prefix(con->cmd.arg, net);
	if (con->cmd.arg[0] != '\0')
		wait_ms = throttle_wait_ms(net, con->login, loop_now_ms());
	if (wait_ms > 0)
		console_done(con, DONE_NO,
		    "the password is right, but after too many wrong ones "
		    "logins from %s are not looked at for %lld s (those that "
		    "logged in within 10 minutes still may)",
		    net, (long long)(wait_ms + 999) / 1000);
	else
		console_done(con, DONE_OK,
		    "a login as %s with this password works", con->login);
}

static void
test_hashed(struct console *con)
{
	struct account a;
	char when[24];

	if (!account_get(NULL, con->login, &a)) {
		console_done(con, DONE_NO, "no account %s", con->login);
	} else if (!con->job.right) {
		console_done(con, DONE_NO,
		    "the password is wrong (set one: postern account passwd "
		    "%s)",
		    con->login);
	} else if (a.state == ACC_SUSPENDED) {
		console_done(con, DONE_NO,
		    "the password is right, but the account is suspended since "
		    "%s by %s: %s (undo: postern account resume %s)",
		    date(a.since, when), a.by,
		    a.reason[0] == '\0' ? "no reason given" : a.reason,
		    con->login);
	} else {
		test_throttle(con);
	}
}

static void
test(struct console *con)
{
	const struct page *page = book_find(con->login);
	const char *kind = page == NULL ? "" : password_kind(page->hash);

	if (page == NULL || page->state == ACC_REMOVED) {
		console_done(con, DONE_NO,
		    "no account %s: no password can be right", con->login);
	} else if (strcmp(kind, "none") == 0) {
		console_done(con, DONE_NO,
		    "account %s has no password (set one: postern account "
		    "passwd %s)",
		    con->login, con->login);
	} else if (strcmp(kind, "unknown") == 0 ||
	    strcmp(kind, "locked") == 0) {
		console_done(con, DONE_NO,
		    "the password hash of %s is %s: no password can be right "
		    "(set one: postern account passwd %s)",
		    con->login,
		    kind[0] == 'l' ? "locked"
				   : "of a kind that libxcrypt cannot check",
		    con->login);
	} else {
		strcpy(con->job.hash, page->hash);
		console_hash(con, HASH_CHECK, test_hashed);
	}
}

static void
grant(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_grant(&c);

	switch (r) {
	case CHANGE_DONE:
		announce(con, &c, (enum account_state)c.account.state);
		console_done(con, DONE_OK,
		    "%s may send as %s (undo: postern grant remove %s %s)",
		    con->login, con->address, con->login, con->address);
		break;
	case CHANGE_EXISTS:
		console_done(con, DONE_EXISTS, "%s may send as %s already",
		    con->login, con->address);
		break;
	case CHANGE_TOO_MANY:
		console_done(con, DONE_NO,
		    "%s has %d grants, and no account may have more: grant it "
		    "@ and a domain",
		    con->login, GRANTS_MAX);
		break;
	default:
		fail(con, r);
		break;
	}
}

static void
revoke(struct console *con)
{
	struct change c = change_of(con);
	enum change_result r = accounts_revoke(&c);

	if (r == CHANGE_DONE) {
		announce(con, &c, (enum account_state)c.account.state);
		console_done(con, DONE_OK,
		    "%s may no longer send as %s (undo: postern grant add %s "
		    "%s)",
		    con->login, con->address, con->login, con->address);
	} else if (r == CHANGE_ABSENT && book_find(con->login) != NULL) {
		console_done(con, DONE_ABSENT, "%s has no grant of %s",
		    con->login, con->address);
	} else {
		fail(con, r);
	}
}
