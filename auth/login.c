/*
 * login.c - see login.h.
 *
 * An attempt lives from its question to its answer, and is in one place at a
 * time: in a `checking` that a worker has (attempts with the same password
 * share one), or waiting for its timer.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/hasher.h"
#include "auth/login.h"
#include "auth/login_name.h"
#include "auth/t_credential.h"
#include "auth/throttle.h"
#include "auth/uses.h"
#include "auth/verified.h"
#include "lib/log.h"
#include "lib/net.h"
#include "mail/ascii.h"

#define ATTEMPTS_MAX  4096 /* alive; about 2 KiB each */
#define UNKNOWN_SHOWN 3    /* letters: people type passwords as user names */

enum outcome {
	OK,
	BAD_PASSWORD,
	UNKNOWN_USER,
	SUSPENDED,
	RATE,
	BUSY,
	STALE,
	OUTCOMES
};

/* What the client is told, and what the log calls it. */
static const struct {
	enum verdict verdict;
	uint32_t code;
	const char *status, *text, *event, *reason;
} outcomes[OUTCOMES] = {
/* clang-format off */
#define WRONG "authentication credentials invalid"
[OK]           = { V_OK,   235, "2.7.0",  "authentication successful", "auth.ok", "" },
[BAD_PASSWORD] = { V_PERM, 535, "5.7.8",  WRONG, "auth.failed", "bad-password" },
[UNKNOWN_USER] = { V_PERM, 535, "5.7.8",  WRONG, "auth.failed", "unknown-user" },
[SUSPENDED]    = { V_PERM, 525, "5.7.13", "account suspended: ask your administrator", "auth.failed", "suspended" },
[RATE]         = { V_TEMP, 454, "4.7.0",  "too many wrong passwords from your network, try again later", "auth.failed", "rate" },
[BUSY]         = { V_TEMP, 454, "4.7.0",  "temporary authentication failure, try again", "auth.failed", "busy" },
[STALE]        = { V_PERM, 535, "5.7.8",  WRONG, "auth.stale", "same-wrong-password" },
	/* clang-format on */
};

struct attempt {
	struct channel *channel;
	uint64_t serial; /* of the channel, to know it again */
	uint64_t tag;
	int64_t began_ms;
	struct msg_auth_check ask; /* its secret is wiped */
	char net[NET_TEXT + 4];
	char user[ADDR_SIZE]; /* the account, or what was typed */
	bool known;           /* it is an account */
	unsigned char digest[DIGEST_SIZE];
	enum outcome outcome;
	struct timer timer;
	TAILQ_ENTRY(attempt) link;
};

TAILQ_HEAD(attempts, attempt);

/*
 * One hash under way and everybody who waits for it: the same account and
 * password from the same network.  The first of them stands for all: it alone
 * went through the throttle.
 */
struct checking {
	struct hash_job job; /* first: done() gets it */
	unsigned char digest[DIGEST_SIZE];
	char net[NET_TEXT + 4];
	char login[ADDR_SIZE];
	char current[PASSWORD_HASH]; /* the account's, if no one changed it */
	struct attempts attempts;
	TAILQ_ENTRY(checking) link;
};

static TAILQ_HEAD(, checking) checkings = TAILQ_HEAD_INITIALIZER(checkings);
static struct attempts delayed = TAILQ_HEAD_INITIALIZER(delayed);
static size_t nattempts;
static char hostname[256];
static char decoy[PASSWORD_HASH]; /* what unknown names are checked against */

void
login_set_hostname(const char *name)
{
	snprintf(hostname, sizeof(hostname), "%s", name);
}

void
login_prepare(void)
{
	unsigned char noise[DIGEST_SIZE];
	char secret[2 * DIGEST_SIZE + 1];

	if (decoy[0] != '\0')
		return;
	/* Under the key of this start: nobody can know what it is of. */
	digest_make(noise, "decoy", NULL, NULL);
	for (size_t i = 0; i < sizeof(noise); i++)
		snprintf(secret + 2 * i, 3, "%02x", noise[i]);
	if (!password_make(secret, decoy))
		fatal(
		    "cannot hash: no randomness, or libxcrypt lacks yescrypt");
	explicit_bzero(noise, sizeof(noise));
	explicit_bzero(secret, sizeof(secret));
}

/* What a neighbour calls an address or a version is one word, or "?": the
 * keys of a log line stay where they are whoever writes to us. */
static const char *
word(const char *s)
{
	if (*s == '\0')
		return "-";
	for (const char *p = s; *p != '\0'; p++)
		if (!ascii_alnum(*p) && strchr(".:-_", *p) == NULL)
			return "?";
	return s;
}

static void
log_attempt(const struct attempt *a, bool cached)
{
	const struct msg_auth_check *ask = &a->ask;
	char user[ADDR_SIZE];

	if (a->outcome == OK) {
		log_event("auth.ok",
		    "ip=%s port=%u tls=%s mech=%s account=%s credential=%s "
		    "cached=%d ms=%lld",
		    word(ask->ip), ask->port, word(ask->tls), word(ask->mech),
		    log_quote(a->user), log_quote(CREDENTIAL_PASSWORD), cached,
		    (long long)(loop_now_ms() - a->began_ms));
		return;
	}
	snprintf(user, sizeof(user), "%.*s",
	    a->known ? (int)sizeof(user) - 1 : UNKNOWN_SHOWN, a->user);
	log_event(outcomes[a->outcome].event,
	    "ip=%s port=%u tls=%s mech=%s reason=%s user=%s", word(ask->ip),
	    ask->port, word(ask->tls), word(ask->mech),
	    outcomes[a->outcome].reason, log_quote(user));
}

static void
send_answer(const struct attempt *a)
{
	struct msg m = { .type = MSG_AUTH_RESULT, .tag = a->tag };
	struct msg_auth_result *r = &m.u.auth_result;

	if (!channel_up(a->channel) || a->channel->serial != a->serial)
		return;
	r->verdict = outcomes[a->outcome].verdict;
	r->code = outcomes[a->outcome].code;
	snprintf(
	    r->status, sizeof(r->status), "%s", outcomes[a->outcome].status);
	snprintf(r->text, sizeof(r->text), "%s", outcomes[a->outcome].text);
	if (a->outcome == OK) {
		snprintf(r->account, sizeof(r->account), "%s", a->user);
		snprintf(r->credential, sizeof(r->credential), "%s",
		    CREDENTIAL_PASSWORD);
	}
	channel_send(a->channel, &m, -1);
}

static void
free_attempt(struct attempt *a)
{
	timer_clear(&a->timer);
	free(a);
	nattempts--;
}

static void
on_delay(void *arg)
{
	struct attempt *a = arg;

	TAILQ_REMOVE(&delayed, a, link);
	send_answer(a);
	free_attempt(a);
}

/* The end of an attempt: log it, and answer it late if it failed. */
static void
settle(struct attempt *a, enum outcome outcome, bool cached)
{
	int64_t late_ms;

	a->outcome = outcome;
	log_attempt(a, cached);
	if (outcome == OK) {
		uses_note(a->user, CREDENTIAL_PASSWORD, word(a->ask.ip));
		send_answer(a);
		free_attempt(a);
		return;
	}
	late_ms = a->began_ms - loop_now_ms();
	if (outcome != BUSY)
		late_ms += throttle_delay_ms(a->net, a->user, a->began_ms);
	TAILQ_INSERT_TAIL(&delayed, a, link);
	timer_init(&a->timer, on_delay, a);
	timer_set(&a->timer, late_ms);
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
		.hash = ch->job.fresh,
		.old_hash = ch->job.hash };
	struct checking *other;

	if (accounts_upgrade(&c) != CHANGE_DONE)
		return;
	TAILQ_FOREACH (other, &checkings, link)
		if (strcmp(other->login, ch->login) == 0 &&
		    strcmp(other->current, c.old_hash) == 0)
			strcpy(other->current, c.hash);
	log_event("auth.upgraded", "from=%s to=%s account=%s",
	    password_kind(c.old_hash), password_kind(c.hash),
	    log_quote(ch->login));
}

/* What became of the one who stands for all. */
static enum outcome
judge(struct checking *ch)
{
	const struct page *page = book_find(ch->login);
	bool is_account = page != NULL && page->state != ACC_REMOVED;
	enum outcome outcome;

	if (!ch->job.right || !is_account) {
		throttle_wrong(ch->net, ch->login, ch->digest);
		return is_account ? BAD_PASSWORD : UNKNOWN_USER;
	}
	throttle_right(ch->net, ch->login, loop_now_ms());
	if (strcmp(page->hash, ch->current) != 0)
		return BUSY; /* it got a new password meanwhile: ask again */
	outcome = page->state == ACC_ACTIVE ? OK : SUSPENDED;
	verified_add(ch->digest, loop_now_ms());
	if (ch->job.fresh[0] != '\0')
		upgrade(ch);
	return outcome;
}

static void
on_hashed(struct hash_job *job)
{
	struct checking *ch = (struct checking *)job;
	enum outcome outcome = judge(ch);
	struct attempt *a;

	TAILQ_REMOVE(&checkings, ch, link);
	while ((a = TAILQ_FIRST(&ch->attempts)) != NULL) {
		TAILQ_REMOVE(&ch->attempts, a, link);
		settle(a, outcome, false);
		/* For the others it is known to be wrong already. */
		if (outcome == BAD_PASSWORD || outcome == UNKNOWN_USER)
			outcome = STALE;
	}
	explicit_bzero(ch, sizeof(*ch));
	free(ch);
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

static void
have_checked(struct attempt *a, const struct page *page, const char *secret)
{
	struct checking *ch = calloc(1, sizeof(*ch));

	if (ch == NULL)
		abort();
	ch->job.op = HASH_CHECK;
	ch->job.done = on_hashed;
	strcpy(ch->job.secret, secret);
	strcpy(ch->job.hash, hash_of(page));
	strcpy(ch->current, ch->job.hash);
	strcpy(ch->login, a->user);
	strcpy(ch->net, a->net);
	memcpy(ch->digest, a->digest, DIGEST_SIZE);
	TAILQ_INIT(&ch->attempts);
	if (!hasher_submit(&ch->job, a->net)) {
		explicit_bzero(ch, sizeof(*ch));
		free(ch);
		throttle_cancel(a->net, a->user);
		settle(a, BUSY, false);
		return;
	}
	TAILQ_INSERT_TAIL(&ch->attempts, a, link);
	TAILQ_INSERT_TAIL(&checkings, ch, link);
}

/* Find out whom the user name means: a->user and a->known. */
static const struct page *
identify(struct attempt *a)
{
	const struct page *page;
	size_t i;

	for (int n = 0; login_guess(a->user, a->ask.user, hostname, n); n++) {
		page = book_find(a->user);
		if (page != NULL && page->state != ACC_REMOVED) {
			a->known = true;
			return page;
		}
	}
	for (i = 0; a->ask.user[i] != '\0' && i < sizeof(a->user) - 1; i++)
		a->user[i] = ascii_lower(a->ask.user[i]);
	a->user[i] = '\0';
	return NULL;
}

static struct attempt *
new_attempt(struct channel *c, const struct msg *m)
{
	struct attempt *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	nattempts++;
	a->channel = c;
	a->serial = c->serial;
	a->tag = m->tag;
	a->began_ms = loop_now_ms();
	a->ask = m->u.auth_check;
	explicit_bzero(a->ask.secret, sizeof(a->ask.secret));
	net_prefix(a->ask.ip, a->net);
	return a;
}

void
login_check(struct channel *c, const struct msg *m)
{
	const char *secret = m->u.auth_check.secret;
	struct attempt *a = new_attempt(c, m);
	const struct page *page = identify(a);

	login_prepare();
	digest_make(a->digest, a->user, page == NULL ? "" : page->hash, secret);
	if (page != NULL && verified_find(a->digest, a->began_ms)) {
		settle(a, page->state == ACC_ACTIVE ? OK : SUSPENDED, true);
		return;
	}
	if (nattempts > ATTEMPTS_MAX) {
		settle(a, BUSY, false);
		return;
	}
	if (join(a))
		return;
	switch (throttle_begin(a->net, a->user, a->digest, a->began_ms)) {
	case THROTTLE_GO:
		have_checked(a, page, secret);
		break;
	case THROTTLE_STALE:
		settle(a, STALE, false);
		break;
	case THROTTLE_OVER:
		settle(a, RATE, false);
		break;
	}
}

static void
free_attempts(struct attempts *list)
{
	struct attempt *a;

	while ((a = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, a, link);
		free_attempt(a);
	}
}

void
login_close(void)
{
	struct checking *ch;

	while ((ch = TAILQ_FIRST(&checkings)) != NULL) {
		TAILQ_REMOVE(&checkings, ch, link);
		free_attempts(&ch->attempts);
		explicit_bzero(ch, sizeof(*ch));
		free(ch);
	}
	free_attempts(&delayed);
}
