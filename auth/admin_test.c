/*
 * admin_test.c - see admin_test.h.
 */
#include <string.h>

#include "auth/accounts.h"
#include "auth/admin_say.h"
#include "auth/admin_test.h"
#include "auth/app_password.h"
#include "auth/book.h"
#include "auth/card.h"
#include "auth/throttle.h"
#include "lib/net.h"
#include "lib/shell.h"

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
		console_done(con, CODE_NO,
		    "the password is right, but after too many wrong ones "
		    "logins from %s are not looked at for %lld s (those that "
		    "logged in within 10 minutes still may)",
		    net, (long long)(wait_ms + 999) / 1000);
	else
		console_done(con, CODE_OK,
		    "a login as %s with this password works", con->login);
}

static void
test_hashed(struct console *con)
{
	char when[24], word[SHELL_SIZE(ADDR_SIZE)];
	struct account a;

	shell_word(word, sizeof(word), con->login);
	if (!account_get(NULL, con->login, &a)) {
		console_done(con, CODE_NO, "no account %s", con->login);
	} else if (!con->job.right) {
		console_done(con, CODE_NO,
		    "the password is wrong (set one: postern account passwd "
		    "%s)",
		    word);
	} else if (a.state == ACC_SUSPENDED) {
		console_done(con, CODE_NO,
		    "the password is right, but the account is suspended since "
		    "%s by %s: %s (undo: postern account resume %s)",
		    admin_date(a.since, when), a.by,
		    a.reason[0] == '\0' ? "no reason given" : a.reason, word);
	} else {
		test_throttle(con);
	}
}

/* It is an app password; is it good from there? */
static void
test_card(struct console *con, const struct page *page, const struct card *card)
{
	char when[24], word[SHELL_SIZE(ADDR_SIZE)];

	shell_word(word, sizeof(word), con->login);
	switch (card_judge(page, card, con->cmd.arg, false)) {
	case LOGIN_OK:
		console_done(con, CODE_OK,
		    "a login as %s with its app password \"%s\" works",
		    con->login, card->label);
		break;
	case LOGIN_EXPIRED:
		console_done(con, CODE_NO,
		    "the app password \"%s\" has expired on %s (make another: "
		    "postern account app-password add %s LABEL)",
		    card->label, admin_date(card->c.expires, when), word);
		break;
	case LOGIN_NETWORK:
		console_done(con, CODE_NO,
		    "the app password \"%s\" is for %s only, and the client is "
		    "at %s (--from)",
		    card->label, card->c.networks,
		    con->cmd.arg[0] == '\0' ? "no address that I know"
					    : con->cmd.arg);
		break;
	default:
		console_done(con, CODE_NO,
		    "the app password \"%s\" is right, but the account is "
		    "suspended (undo: postern account resume %s)",
		    card->label, word);
		break;
	}
}

void
admin_test(struct console *con)
{
	const struct page *page = book_find(con->login);
	const struct card *card =
	    page == NULL ? NULL : app_password_find(page, con->cmd.secret);
	const char *kind = page == NULL ? "" : password_kind(page->hash);
	char word[SHELL_SIZE(ADDR_SIZE)];

	shell_word(word, sizeof(word), con->login);
	if (page == NULL || page->state == ACC_REMOVED) {
		console_done(con, CODE_NO,
		    "no account %s: no password can be right", con->login);
	} else if (card != NULL) {
		test_card(con, page, card);
	} else if (strcmp(kind, "none") == 0) {
		console_done(con, CODE_NO,
		    "account %s has no password (set one: postern account "
		    "passwd %s)",
		    con->login, word);
	} else if (strcmp(kind, "unknown") == 0 ||
	    strcmp(kind, "locked") == 0) {
		console_done(con, CODE_NO,
		    "the password hash of %s is %s: no password can be right "
		    "(set one: postern account passwd %s)",
		    con->login,
		    kind[0] == 'l' ? "locked"
				   : "of a kind that cannot be checked here",
		    word);
	} else {
		strcpy(con->job.hash, page->hash);
		console_hash(con, HASH_CHECK, test_hashed);
	}
}
