/*
 * login.c - see login.h.
 *
 * An attempt is answered from memory, or waits in a `checking` for a worker;
 * then it is settled (attempt.h) and gone from here.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/app_password.h"
#include "auth/attempt.h"
#include "auth/book.h"
#include "auth/card.h"
#include "auth/hasher.h"
#include "auth/login.h"
#include "auth/login_name.h"
#include "auth/throttle.h"
#include "auth/verified.h"
#include "lib/hex.h"
#include "lib/log.h"
#include "lib/net.h"
#include "mail/ascii.h"

/*
 * One hash under way and everybody who waits for it: the same account and
 * password from the same network.  The first of them stands for all: it alone
 * went through the throttle.
 */
struct checking {
	struct hash_job job; /* first: done() gets it */
	unsigned char digest[DIGEST_SIZE];
	char net[NET_TEXT + 4];
	unsigned cost; /* of the try that it is */
	char login[ADDR_SIZE];
	char current[PASSWORD_HASH]; /* the account's, if no one changed it */
	struct attempts attempts;
	TAILQ_ENTRY(checking) link;
};

static TAILQ_HEAD(, checking) checkings = TAILQ_HEAD_INITIALIZER(checkings);
static char domain[256], hostname[256];
static bool verifiers;            /* SCRAM is on offer somewhere */
static char decoy[PASSWORD_HASH]; /* what unknown names are checked against */

void
login_set_names(const char *d, const char *h)
{
	snprintf(domain, sizeof(domain), "%s", d);
	snprintf(hostname, sizeof(hostname), "%s", h);
}

void
login_make_verifiers(bool on)
{
	verifiers = on;
}

bool
login_makes_verifiers(void)
{
	return verifiers;
}

void
login_prepare(void)
{
	unsigned char noise[DIGEST_SIZE];
	char secret[HEX_SIZE(DIGEST_SIZE)];

	if (decoy[0] != '\0')
		return;
	/* Under the key of this start: nobody can know what it is of. */
	digest_make(noise, "decoy", NULL, NULL);
	hex_write(noise, sizeof(noise), secret);
	if (!password_make(secret, decoy))
		fatal(
		    "cannot hash: no randomness, or libxcrypt lacks yescrypt");
	explicit_bzero(noise, sizeof(noise));
	explicit_bzero(secret, sizeof(secret));
}

/* The account's hash when it may log in at all, else the decoy. */
static const char *
hash_of(const struct page *page)
{
	return page != NULL && page->state != ACC_REMOVED &&
		page->hash[0] != '\0'
	    ? page->hash
	    : decoy;
}

/*
 * Replace a weak hash, now that the password is known.  Whoever is being
 * checked against the old one is not taken by surprise.
 */
static void
upgrade(struct checking *ch)
{
	struct change c = { .login = ch->login,
		.hash = ch->job.fresh[0] != '\0' ? ch->job.fresh : ch->job.hash,
		.scram = ch->job.verifier,
		.old_hash = ch->job.hash };
	struct checking *other;

	if (accounts_upgrade(&c) != CHANGE_DONE)
		return;
	TAILQ_FOREACH (other, &checkings, link)
		if (strcmp(other->login, ch->login) == 0 &&
		    strcmp(other->current, c.old_hash) == 0)
			strcpy(other->current, c.hash);
	if (ch->job.fresh[0] == '\0')
		return;
	log_event("auth.upgraded", "from=%s to=%s account=%s",
	    password_kind(c.old_hash), password_kind(c.hash),
	    log_quote(ch->login));
}

/* The password is right; may the account be used, and here? */
static enum outcome
admit(const struct page *page, const struct attempt *a)
{
	return card_judge(page, NULL, a->ask.ip, a->ask.legacy);
}

/* What became of the one who stands for all. */
static enum outcome
judge(struct checking *ch)
{
	const struct page *page = book_find(ch->login);
	bool is_account = page != NULL && page->state != ACC_REMOVED;

	if (!ch->job.right || !is_account) {
		throttle_wrong(ch->net, ch->login, ch->digest);
		return is_account ? LOGIN_BAD_PASSWORD : LOGIN_UNKNOWN_USER;
	}
	throttle_right(ch->net, ch->login, ch->cost, loop_now_ms());
	/* It got a new password while we looked at the old one: ask again. */
	if (strcmp(page->hash, ch->current) != 0)
		return LOGIN_BUSY;
	verified_add(ch->digest, loop_now_ms());
	if (ch->job.fresh[0] != '\0' || ch->job.verifier[0] != '\0')
		upgrade(ch);
	return LOGIN_OK;
}

static void
on_hashed(struct hash_job *job)
{
	struct checking *ch = (struct checking *)job;
	enum outcome outcome = judge(ch);
	const struct page *page;
	struct attempt *a;

	TAILQ_REMOVE(&checkings, ch, link);
	while ((a = TAILQ_FIRST(&ch->attempts)) != NULL) {
		TAILQ_REMOVE(&ch->attempts, a, link);
		page = outcome == LOGIN_OK ? book_find(ch->login) : NULL;
		attempt_settle(
		    a, page != NULL ? admit(page, a) : outcome, false);
		/* For the others it is known to be wrong already. */
		if (outcome == LOGIN_BAD_PASSWORD ||
		    outcome == LOGIN_UNKNOWN_USER)
			outcome = LOGIN_STALE;
	}
	OPENSSL_secure_clear_free(ch, sizeof(*ch));
}

/* Wait for the same question under way, if there is one. */
static bool
join(struct attempt *a)
{
	struct checking *ch;

	TAILQ_FOREACH (ch, &checkings, link)
		if (memcmp(ch->digest, a->digest, DIGEST_SIZE) == 0 &&
		    strcmp(ch->net, a->net) == 0) {
			TAILQ_INSERT_TAIL(&ch->attempts, a, link);
			return true;
		}
	return false;
}

/* Those who were here before, be it before a restart, do not wait for a crowd
 * of strangers. */
static enum hash_turn
turn_of(const struct attempt *a, const struct page *page)
{
	char seen[NET_TEXT + 4];

	if (throttle_trusts(a->net, a->user))
		return HASH_FIRST;
	if (page != NULL && page->seen_ip[0] != '\0') {
		net_prefix(page->seen_ip, seen);
		if (strcmp(seen, a->net) == 0)
			return HASH_FIRST;
	}
	return throttle_suspects(a->net, a->began_ms) ? HASH_LAST : HASH_SECOND;
}

static void
have_checked(struct attempt *a, const struct page *page, const char *secret)
{
	/* Locked in memory; so many as may wait have room. */
	struct checking *ch = OPENSSL_secure_zalloc(sizeof(*ch));

	if (ch == NULL) {
		throttle_cancel(a->net, a->user, attempt_cost(a));
		attempt_settle(a, LOGIN_BUSY, false);
		return;
	}
	ch->job.op = HASH_CHECK;
	ch->job.done = on_hashed;
	ch->job.wants_verifier =
	    verifiers && page != NULL && page->scram[0] == '\0';
	strcpy(ch->job.secret, secret);
	strcpy(ch->job.hash, hash_of(page));
	strcpy(ch->current, ch->job.hash);
	strcpy(ch->login, a->user);
	strcpy(ch->net, a->net);
	ch->cost = attempt_cost(a);
	memcpy(ch->digest, a->digest, DIGEST_SIZE);
	TAILQ_INIT(&ch->attempts);
	if (!hasher_submit(&ch->job, a->net, turn_of(a, page))) {
		OPENSSL_secure_clear_free(ch, sizeof(*ch));
		throttle_cancel(a->net, a->user, attempt_cost(a));
		attempt_settle(a, LOGIN_BUSY, false);
		return;
	}
	TAILQ_INSERT_TAIL(&ch->attempts, a, link);
	TAILQ_INSERT_TAIL(&checkings, ch, link);
}

const struct page *
login_find(char out[ADDR_SIZE], const char *typed)
{
	const struct page *page;
	char name[ADDR_SIZE];
	size_t i;
	int n;

	for (n = 0; login_guess(name, typed, domain, hostname, n); n++) {
		strcpy(out, name);
		page = book_find(out);
		if (page != NULL && page->state != ACC_REMOVED)
			return page;
	}
	/* Where all spellings of the name would find one account, they are one
	 * name without it, too. */
	if (n > 0)
		return NULL;
	for (i = 0; typed[i] != '\0' && i < ADDR_SIZE - 1; i++)
		out[i] = ascii_lower(typed[i]);
	out[i] = '\0';
	return NULL;
}

/* A right app password is known at once, for there is no other way to have
 * one; anything else may still be the password. */
static bool
try_app_password(struct attempt *a, const struct page *page, const char *secret)
{
	const struct card *card = app_password_find(page, secret);

	if (card == NULL)
		return false;
	strcpy(a->credential, card->label);
	attempt_settle(
	    a, card_judge(page, card, a->ask.ip, a->ask.legacy), false);
	return true;
}

void
login_check(struct channel *c, const struct msg *m)
{
	const char *secret = m->u.auth_check.secret;
	struct attempt *a = attempt_new(c, m);
	const struct page *page = login_find(a->user, a->ask.user);

	a->known = page != NULL;
	if (card_lacks_certificate(a)) {
		attempt_settle(a,
		    attempt_count() > ATTEMPTS_MAX ? LOGIN_BUSY
						   : LOGIN_CERTIFICATE,
		    false);
		return;
	}
	if (page != NULL && try_app_password(a, page, secret))
		return;
	login_prepare();
	digest_make(a->digest, a->user, page == NULL ? "" : page->hash, secret);
	if (page != NULL && verified_find(a->digest, a->began_ms)) {
		attempt_settle(a, admit(page, a), true);
		return;
	}
	if (attempt_count() > ATTEMPTS_MAX) {
		attempt_settle(a, LOGIN_BUSY, false);
		return;
	}
	if (join(a))
		return;
	switch (throttle_begin(
	    a->net, a->user, a->digest, attempt_cost(a), a->began_ms)) {
	case THROTTLE_GO:
		have_checked(a, page, secret);
		break;
	case THROTTLE_STALE:
		attempt_settle(a, LOGIN_STALE, false);
		break;
	case THROTTLE_OVER:
		attempt_settle(a, LOGIN_RATE, false);
		break;
	}
}

void
login_close(void)
{
	struct checking *ch;
	struct attempt *a;

	while ((ch = TAILQ_FIRST(&checkings)) != NULL) {
		TAILQ_REMOVE(&checkings, ch, link);
		while ((a = TAILQ_FIRST(&ch->attempts)) != NULL) {
			TAILQ_REMOVE(&ch->attempts, a, link);
			attempt_free(a);
		}
		OPENSSL_secure_clear_free(ch, sizeof(*ch));
	}
	attempts_close();
}
