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

enum {
	EXIT_OK = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 2,
	EXIT_ABSENT = 5,
	EXIT_EXISTS = 6,
	EXIT_TEMP = 75
};

static void add(struct operator*), passwd(struct operator*),
    suspend(struct operator*), resume(struct operator*),
    erase(struct operator*), test(struct operator*), grant(struct operator*),
    revoke(struct operator*);

enum { ACCOUNT = 1, GRANT = 2 }; /* what a command must be given */

/* clang-format off */
static const struct command {
	const char *name; /* for the log */
	unsigned needs;
	void (*run)(struct operator *);
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

void admin_run(struct operator* op)
{
	const struct command *c = &commands[op->cmd.verb];

	op->login[0] = op->address[0] = '\0';
	if ((c->needs & ACCOUNT || op->cmd.account[0] != '\0') &&
	    !login_canonical(op->login, op->cmd.account))
		operator_done(op, EXIT_USAGE,
		    "%s is not an address: an account is called like "
		    "alice@example.org",
		    log_quote(op->cmd.account));
	else if (c->needs & GRANT && !grant_canonical(op->address, op->cmd.arg))
		operator_done(op, EXIT_USAGE,
		    "%s is neither an address nor @ and a domain",
		    log_quote(op->cmd.arg));
	else
		c->run(op);
}

static struct change
change_of(const struct operator* op)
{
	return (struct change){ .login = op->login,
		.by = op->by,
		.hash = op->job.fresh,
		.reason = op->cmd.arg,
		.address = op->address };
}

/* After a change: say so to the log and the neighbours. */
static void
announce(
    const struct operator* op, const struct change *c, enum account_state state)
{
	const char *what = commands[op->cmd.verb].name;

	if (op->address[0] != '\0')
		log_event("admin.change", "by=%s what=%s account=%s address=%s",
		    log_quote(op->by), what, log_quote(op->login),
		    log_quote(op->address));
	else if (op->cmd.verb == ACCOUNT_SUSPEND)
		log_event("admin.change", "by=%s what=%s account=%s reason=%s",
		    log_quote(op->by), what, log_quote(op->login),
		    log_quote(op->cmd.arg));
	else
		log_event("admin.change", "by=%s what=%s account=%s",
		    log_quote(op->by), what, log_quote(op->login));
	op->count = 1;
	if (state != c->account.state)
		peers_tell(op->login, state);
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
fail(struct operator* op, enum change_result r)
{
	if (r == CHANGE_NO_ROOM)
		operator_done(
		    op, EXIT_TEMP, "the disk is full; nothing was changed");
	else
		operator_done(op, EXIT_ABSENT, "no account %s", op->login);
}

static void add_hashed(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_add(&c);

	if (r == CHANGE_EXISTS) {
		operator_done(
		    op, EXIT_EXISTS, "account %s exists already", op->login);
		return;
	}
	if (r != CHANGE_DONE) {
		fail(op, r);
		return;
	}
	announce(op, &c, ACC_ACTIVE);
	operator_done(op, EXIT_OK,
	    "%s account %s%s (undo: postern account "
	    "remove %s)",
	    c.account.state == ACC_REMOVED ? "brought back" : "added",
	    op->login,
	    c.hash[0] == '\0' ? " without a password: it cannot log in" : "",
	    op->login);
}

static void add(struct operator* op)
{
	const struct page *page = book_find(op->login);

	if (page != NULL && page->state != ACC_REMOVED)
		operator_done(
		    op, EXIT_EXISTS, "account %s exists already", op->login);
	else if (op->cmd.secret[0] == '\0')
		add_hashed(op);
	else
		operator_hash(op, HASH_MAKE, add_hashed);
}

static void passwd_hashed(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_passwd(&c);

	if (r != CHANGE_DONE) {
		fail(op, r);
		return;
	}
	announce(op, &c, (enum account_state)c.account.state);
	operator_done(op, EXIT_OK,
	    "changed the password of %s; the old one is gone", op->login);
}

static void passwd(struct operator* op)
{
	const struct page *page = book_find(op->login);

	if (page == NULL || page->state == ACC_REMOVED)
		fail(op, CHANGE_ABSENT);
	else if (!password_usable(op->cmd.secret))
		operator_done(op, EXIT_USAGE, "a password has 1 to %d bytes",
		    PASSWORD_MAX);
	else
		operator_hash(op, HASH_MAKE, passwd_hashed);
}

static void suspend(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_suspend(&c);
	char when[24];

	if (r == CHANGE_NONE) {
		operator_done(op, EXIT_OK,
		    "account %s is suspended already, since %s by %s: %s",
		    op->login, date(c.account.since, when), c.account.by,
		    c.account.reason);
		return;
	}
	if (r != CHANGE_DONE) {
		fail(op, r);
		return;
	}
	announce(op, &c, ACC_SUSPENDED);
	operator_done(op, EXIT_OK,
	    "suspended %s: no login, no new mail, queued mail is held (undo: "
	    "postern account resume %s)",
	    op->login, op->login);
}

static void resume(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_resume(&c);

	if (r == CHANGE_NONE) {
		operator_done(
		    op, EXIT_OK, "account %s is active already", op->login);
		return;
	}
	if (r != CHANGE_DONE) {
		fail(op, r);
		return;
	}
	announce(op, &c, ACC_ACTIVE);
	operator_done(op, EXIT_OK,
	    "resumed %s; its held mail goes out (undo: postern account suspend "
	    "%s)",
	    op->login, op->login);
}

static void erase(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_remove(&c);

	if (r != CHANGE_DONE) {
		fail(op, r);
		return;
	}
	announce(op, &c, ACC_REMOVED);
	operator_done(op, EXIT_OK,
	    "removed %s with its password and grants; mail it has queued is "
	    "held: postern queue list --account %s (postern account add %s "
	    "brings the account back, with a new password)",
	    op->login, op->login, op->login);
}

/* The account may be used and the password is right; what else? */
static void test_throttle(struct operator* op)
{
	char net[NET_TEXT + 4];
	int64_t wait_ms = 0;

	net_prefix(op->cmd.arg, net);
	if (op->cmd.arg[0] != '\0')
		wait_ms = throttle_wait_ms(net, op->login, loop_now_ms());
	if (wait_ms > 0)
		operator_done(op, EXIT_NO,
		    "the password is right, but after too many wrong ones "
		    "logins from %s are not looked at for %lld s (those that "
		    "logged in within 10 minutes still may)",
		    net, (long long)(wait_ms + 999) / 1000);
	else
		operator_done(op, EXIT_OK,
		    "a login as %s with this password works", op->login);
}

static void test_hashed(struct operator* op)
{
	struct account a;
	char when[24];

	if (!account_get(NULL, op->login, &a)) {
		operator_done(op, EXIT_NO, "no account %s", op->login);
	} else if (!op->job.right) {
		operator_done(op, EXIT_NO,
		    "the password is wrong (set one: postern account passwd "
		    "%s)",
		    op->login);
	} else if (a.state == ACC_SUSPENDED) {
		operator_done(op, EXIT_NO,
		    "the password is right, but the account is suspended since "
		    "%s by %s: %s (undo: postern account resume %s)",
		    date(a.since, when), a.by,
		    a.reason[0] == '\0' ? "no reason given" : a.reason,
		    op->login);
	} else {
		test_throttle(op);
	}
}

static void test(struct operator* op)
{
	const struct page *page = book_find(op->login);
	const char *kind = page == NULL ? "" : password_kind(page->hash);

	if (page == NULL || page->state == ACC_REMOVED) {
		operator_done(op, EXIT_NO,
		    "no account %s: no password can be right", op->login);
	} else if (strcmp(kind, "none") == 0) {
		operator_done(op, EXIT_NO,
		    "account %s has no password (set one: postern account "
		    "passwd %s)",
		    op->login, op->login);
	} else if (strcmp(kind, "unknown") == 0 ||
	    strcmp(kind, "locked") == 0) {
		operator_done(op, EXIT_NO,
		    "the password hash of %s is %s: no password can be right "
		    "(set one: postern account passwd %s)",
		    op->login,
		    kind[0] == 'l' ? "locked"
				   : "of a kind that libxcrypt cannot check",
		    op->login);
	} else {
		strcpy(op->job.hash, page->hash);
		operator_hash(op, HASH_CHECK, test_hashed);
	}
}

static void grant(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_grant(&c);

	switch (r) {
	case CHANGE_DONE:
		announce(op, &c, (enum account_state)c.account.state);
		operator_done(op, EXIT_OK,
		    "%s may send as %s (undo: postern grant remove %s %s)",
		    op->login, op->address, op->login, op->address);
		break;
	case CHANGE_EXISTS:
		operator_done(op, EXIT_EXISTS, "%s may send as %s already",
		    op->login, op->address);
		break;
	case CHANGE_TOO_MANY:
		operator_done(op, EXIT_NO,
		    "%s has %d grants, and no account may have more: grant it "
		    "@ and a domain",
		    op->login, GRANTS_MAX);
		break;
	default:
		fail(op, r);
		break;
	}
}

static void revoke(struct operator* op)
{
	struct change c = change_of(op);
	enum change_result r = accounts_revoke(&c);

	if (r == CHANGE_DONE) {
		announce(op, &c, (enum account_state)c.account.state);
		operator_done(op, EXIT_OK,
		    "%s may no longer send as %s (undo: postern grant add %s "
		    "%s)",
		    op->login, op->address, op->login, op->address);
	} else if (r == CHANGE_ABSENT && book_find(op->login) != NULL) {
		operator_done(op, EXIT_ABSENT, "%s has no grant of %s",
		    op->login, op->address);
	} else {
		fail(op, r);
	}
}
