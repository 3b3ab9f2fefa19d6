/*
 * attempt.c - see attempt.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/attempt.h"
#include "auth/guard.h"
#include "auth/peers.h"
#include "auth/permit.h"
#include "auth/t_credential.h"
#include "auth/throttle.h"
#include "auth/uses.h"
#include "ipc/token.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/screen.h"
#include "mail/ascii.h"

#define UNKNOWN_SHOWN 3 /* letters: people type passwords as user names */

/* What the client is told, its name between text and remedy, and what the log
 * calls it. */
static const struct {
	enum verdict verdict;
	uint32_t code;
	const char *status, *text, *remedy, *event, *reason;
} outcomes[LOGIN_OUTCOMES] = {
/* clang-format off */
#define WRONG "wrong user name or password", \
    ": check both in your mail program, or ask your administrator"
[LOGIN_OK]           = { V_OK,   235, "2.7.0",  "authentication successful", NULL, "auth.ok", "" },
[LOGIN_BAD_PASSWORD] = { V_PERM, 535, "5.7.8",  WRONG, "auth.failed", "bad-password" },
[LOGIN_UNKNOWN_USER] = { V_PERM, 535, "5.7.8",  WRONG, "auth.failed", "unknown-user" },
[LOGIN_SUSPENDED]    = { V_PERM, 525, "5.7.13", "this account is suspended", ": ask your administrator", "auth.failed", "suspended" },
[LOGIN_LEGACY]       = { V_PERM, 534, "5.7.9",  "this port is for old devices", ": use port 465 or 587, or ask your administrator", "auth.failed", "legacy" },
[LOGIN_EXPIRED]      = { V_PERM, 535, "5.7.8",  "this credential has expired", ": ask your administrator for a new one", "auth.failed", "expired" },
[LOGIN_NETWORK]      = { V_PERM, 535, "5.7.8",  "this credential may not be used from your network", ": ask your administrator", "auth.failed", "network" },
[LOGIN_MALFORMED]    = { V_PERM, 501, "5.5.2",  "cannot read this login", NULL, "auth.failed", "malformed" },
[LOGIN_AUTHZID]      = { V_PERM, 535, "5.7.8",  "may not act as somebody else", NULL, "auth.failed", "authzid" },
[LOGIN_CERTIFICATE]  = { V_PERM, 535, "5.7.8",  "from your network a login needs a client certificate of this account", ": ask your administrator for one, or use another network", "auth.failed", "certificate" },
[LOGIN_CHANNEL]      = { V_PERM, 535, "5.7.8",  "the client sees another TLS connection than we do: somebody may be between us", NULL, "auth.failed", "channel-binding" },
[LOGIN_BINDING]      = { V_PERM, 504, "5.5.4",  "there is no channel binding of this kind here", ": have your program use tls-exporter, or SCRAM-SHA-256 without it", "auth.failed", "channel-binding-kind" },
[LOGIN_UNKNOWN_KEY]  = { V_PERM, 535, "5.7.8",  "this certificate belongs to no account: ask your administrator", NULL, "auth.failed", "unknown-certificate" },
[LOGIN_RATE]         = { V_TEMP, 454, "4.7.0",  "too many wrong passwords from your network; try again later", NULL, "auth.failed", "rate" },
[LOGIN_BUSY]         = { V_TEMP, 454, "4.7.0",  "too many logins at a time; try again in a moment", NULL, "auth.failed", "busy" },
[LOGIN_STALE]        = { V_PERM, 535, "5.7.8",  WRONG, "auth.stale", "same-wrong-password" },
	/* clang-format on */
};

static struct attempts delayed = TAILQ_HEAD_INITIALIZER(delayed);
static size_t nattempts;

struct attempt *
attempt_new(struct channel *c, const struct msg *m)
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
	strcpy(a->credential, CREDENTIAL_PASSWORD);
	explicit_bzero(a->ask.secret, sizeof(a->ask.secret));
	net_prefix(a->ask.ip, a->net);
	return a;
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

	if (a->outcome == LOGIN_OK) {
		log_event("auth.ok",
		    "ip=%s port=%u tls=%s mech=%s account=%s credential=%s "
		    "cached=%d ms=%lld",
		    word(ask->ip), ask->port, word(ask->tls), word(ask->mech),
		    log_quote(a->user), log_quote(a->credential), cached,
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

/*
 * The name as it was typed, as long as it looks like one: people type
 * passwords as user names and show others what their program said.  The name
 * of the account, where that is another, would tell that it exists.
 */
static void
explain(const struct attempt *a, char *text, size_t size)
{
	const char *name = a->ask.user, *remedy = outcomes[a->outcome].remedy;
	bool shown = strchr(name, '@') != NULL;

	for (const char *p = name; *p != '\0'; p++)
		shown &= *p > ' ' && *p < 0x7f;
	if (remedy == NULL)
		snprintf(text, size, "%s", outcomes[a->outcome].text);
	else
		snprintf(text, size, "%s%s%s%s%s", outcomes[a->outcome].text,
		    shown ? " (" : "", shown ? name : "", shown ? ")" : "",
		    remedy);
}

static void
send_answer(const struct attempt *a)
{
	struct msg m = { .type = MSG_AUTH_RESULT, .tag = a->tag };
	struct msg_auth_result *r = &m.u.auth_result;
	struct token_claim claim;

	if (!channel_up(a->channel) || a->channel->serial != a->serial)
		return;
	r->verdict = outcomes[a->outcome].verdict;
	r->code = outcomes[a->outcome].code;
	snprintf(
	    r->status, sizeof(r->status), "%s", outcomes[a->outcome].status);
	explain(a, r->text, sizeof(r->text));
	if (a->outcome == LOGIN_OK) {
		snprintf(r->account, sizeof(r->account), "%s", a->user);
		snprintf(
		    r->credential, sizeof(r->credential), "%s", a->credential);
		claim = (struct token_claim){ a->channel->index, a->tag,
			r->account, r->credential };
		token_make(&r->token, &claim, loop_now_ms());
		permit_limits(r->account, r->credential, peers_conf(),
		    &r->rcpts, &r->size);
	}
	channel_send(a->channel, &m, -1);
}

unsigned
attempt_cost(const struct attempt *a)
{
	return a->ask.screen == SCREEN_SLOW ? THROTTLE_SLOW : 1;
}

void
attempt_free(struct attempt *a)
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
	attempt_free(a);
}

void
attempt_settle(struct attempt *a, enum outcome outcome, bool cached)
{
	int64_t late_ms;

	a->outcome = outcome;
	log_attempt(a, cached);
	metric_add(METRIC_AUTH, word(a->ask.mech),
	    outcome == LOGIN_OK ? "ok" : outcomes[outcome].reason, NULL, 1);
	metric_observe(
	    METRIC_AUTH_TIME, (uint64_t)(loop_now_ms() - a->began_ms));
	if (a->known && outcome != LOGIN_BUSY && outcome != LOGIN_STALE)
		uses_note(a->user, a->credential, word(a->ask.ip),
		    word(a->ask.mech),
		    outcome == LOGIN_OK ? "" : outcomes[outcome].reason);
	if (a->known && (outcome == LOGIN_OK || outcome == LOGIN_BAD_PASSWORD))
		guard_note_login(a->user, a->ask.ip, outcome == LOGIN_OK);
	if (outcome == LOGIN_OK) {
		send_answer(a);
		attempt_free(a);
		return;
	}
	late_ms = a->began_ms - loop_now_ms();
	if (outcome != LOGIN_BUSY)
		late_ms += throttle_delay_ms(a->net, a->user, a->began_ms);
	TAILQ_INSERT_TAIL(&delayed, a, link);
	timer_init(&a->timer, on_delay, a);
	timer_set(&a->timer, late_ms);
}

size_t
attempt_count(void)
{
	return nattempts;
}

void
attempts_close(void)
{
	struct attempt *a;

	while ((a = TAILQ_FIRST(&delayed)) != NULL) {
		TAILQ_REMOVE(&delayed, a, link);
		attempt_free(a);
	}
}
