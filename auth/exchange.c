/*
 * exchange.c - see exchange.h.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "auth/attempt.h"
#include "auth/book.h"
#include "auth/card.h"
#include "auth/exchange.h"
#include "auth/login.h"
#include "auth/login_name.h"
#include "auth/lru.h"
#include "auth/scram.h"
#include "auth/t_secret.h"
#include "auth/throttle.h"
#include "lib/log.h"

#define EXCHANGES 4096
#define SALT      16

struct id {
	uint64_t serial, tag; /* of the channel and of the session */
};

struct exchange {
	struct scram scram;
	char login[ADDR_SIZE]; /* the account, or what was typed */
	bool known;
	bool proved; /* the client has only to hear that we are we */
};

static struct lru *exchanges;

static void
wipe(void *value)
{
	explicit_bzero(value, sizeof(struct exchange));
}

/* The end of an exchange, as an attempt. */
static struct attempt *
attempt_of(struct channel *c, const struct msg *m, const struct exchange *ex)
{
	const struct msg_sasl_step *step = &m->u.sasl_step;
	struct msg ask = { .type = MSG_AUTH_CHECK, .tag = m->tag };
	struct msg_auth_check *q = &ask.u.auth_check;
	struct attempt *a;

	/* What is told to the client names nothing but what it typed. */
	snprintf(q->user, sizeof(q->user), "%.255s",
	    ex->scram.user[0] != '\0' ? ex->scram.user : ex->login);
	strcpy(q->ip, step->ip);
	q->port = step->port;
	strcpy(q->tls, step->tls);
	strcpy(q->mech, step->mech);
	q->legacy = step->legacy;
	q->screen = step->screen;
	strcpy(q->certificate, step->certificate);
	a = attempt_new(c, &ask);
	strcpy(a->user, ex->login);
	a->known = ex->known;
	return a;
}

static void
end(struct channel *c, const struct msg *m, const struct exchange *ex,
    enum outcome outcome)
{
	attempt_settle(attempt_of(c, m, ex), outcome, false);
}

static void
challenge(struct channel *c, const struct msg *m, const char *text)
{
	struct msg r = { .type = MSG_AUTH_RESULT, .tag = m->tag };

	r.u.auth_result.verdict = V_OK;
	r.u.auth_result.code = 334;
	r.u.auth_result.challenge =
	    (struct bytes){ (const uint8_t *)text, strlen(text) };
	channel_send(c, &r, -1);
}

/* What an account without a verifier gets, and a name without an account. */
static void
fake(struct scram_verifier *v, const char *login)
{
	unsigned char salt[SECRET_BYTES];

	memset(v, 0, sizeof(*v));
	secret_derive(login, strlen(login), salt);
	if (RAND_bytes(v->stored, SCRAM_KEY) != 1)
		fatal("no random bytes");
	memcpy(v->salt, salt, SALT);
	v->salt_len = SALT;
	v->iterations = SCRAM_ITERATIONS;
	v->key_len = SCRAM_KEY;
}

/* Some of the server's letters, none of them a comma. */
static void
make_nonce(char out[SCRAM_NONCE + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char raw[SCRAM_NONCE];

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		fatal("no randomness");
	for (size_t i = 0; i < SCRAM_NONCE; i++)
		out[i] = letters[raw[i] & 63];
	out[SCRAM_NONCE] = '\0';
}

static enum outcome
outcome_of(enum scram_result r)
{
	switch (r) {
	case SCRAM_OK:
		return LOGIN_OK;
	case SCRAM_MALFORMED:
		return LOGIN_MALFORMED;
	case SCRAM_AUTHZID:
		return LOGIN_AUTHZID;
	case SCRAM_DOWNGRADE:
	case SCRAM_UNBOUND:
		return LOGIN_CHANNEL;
	case SCRAM_WRONG:
		break;
	}
	return LOGIN_BAD_PASSWORD;
}

static struct bytes
binding_of(const struct msg_sasl_step *step, const char *name)
{
	if (strcmp(name, "tls-exporter") == 0)
		return step->exporter;
	if (strcmp(name, "tls-server-end-point") == 0)
		return step->endpoint;
	return (struct bytes){ NULL, 0 };
}

/* What the client wants to bind to: tls-unique, say, is not to be had. */
static bool
binds_to_nothing(const struct msg_sasl_step *step, const struct scram *s)
{
	return s->binding[0] != '\0' && binding_of(step, s->binding).len == 0;
}

/* True while it goes on. */
static bool
begin(struct channel *c, const struct msg *m, struct exchange *ex)
{
	const struct msg_sasl_step *step = &m->u.sasl_step;
	const struct page *page;
	char nonce[SCRAM_NONCE + 1], text[SCRAM_MESSAGE];
	struct scram_verifier v;
	enum scram_result r;

	r = scram_first(&ex->scram, (const char *)step->response.data,
	    step->response.len, strcmp(step->mech, "SCRAM-SHA-256-PLUS") == 0,
	    step->plus);
	page = login_find(ex->login, ex->scram.user);
	ex->known = page != NULL;
	if (r != SCRAM_OK) {
		end(c, m, ex, outcome_of(r));
		return false;
	}
	if (binds_to_nothing(step, &ex->scram)) {
		end(c, m, ex, LOGIN_BINDING);
		return false;
	}
	if (page == NULL || !scram_verifier_parse(&v, page->scram, SCRAM_KEY))
		fake(&v, ex->login);
	make_nonce(nonce);
	scram_challenge(&ex->scram, &v, nonce, text);
	challenge(c, m, text);
	explicit_bzero(&v, sizeof(v));
	return true;
}

/* The proof; true while it goes on.  Its password cannot be told from
 * another wrong one, so nothing is stale here. */
static bool
prove(struct channel *c, const struct msg *m, struct exchange *ex)
{
	const struct msg_sasl_step *step = &m->u.sasl_step;
	struct bytes b = binding_of(step, ex->scram.binding);
	struct attempt *a = attempt_of(c, m, ex);
	const struct page *page = book_find(ex->login);
	char text[SCRAM_MESSAGE];
	enum outcome outcome;

	if (card_lacks_certificate(a)) {
		attempt_settle(a, LOGIN_CERTIFICATE, false);
		return false;
	}
	digest_make(a->digest, a->user, ex->scram.nonce, NULL);
	if (throttle_begin(a->net, a->user, a->digest, attempt_cost(a),
		a->began_ms) != THROTTLE_GO) {
		attempt_settle(a, LOGIN_RATE, false);
		return false;
	}
	outcome = outcome_of(
	    scram_final(&ex->scram, (const char *)step->response.data,
		step->response.len, b.data, b.len, text));
	if (outcome != LOGIN_OK || page == NULL) {
		if (outcome == LOGIN_OK ||
		    (outcome == LOGIN_BAD_PASSWORD && !ex->known))
			outcome = LOGIN_UNKNOWN_USER;
		throttle_wrong(a->net, a->user, a->digest);
		attempt_settle(a, outcome, false);
		return false;
	}
	throttle_right(a->net, a->user, attempt_cost(a), a->began_ms);
	outcome = card_judge(page, NULL, step->ip, step->legacy);
	/* Who is suspended hears so in a session, for which the client wants
	 * our proof first. */
	if (outcome != LOGIN_OK && outcome != LOGIN_SUSPENDED) {
		attempt_settle(a, outcome, false);
		return false;
	}
	attempt_free(a);
	ex->proved = true;
	challenge(c, m, text);
	return true;
}

/* RFC 4954 4: the server's last word was a challenge, its answer is empty. */
static void
finish(struct channel *c, const struct msg *m, struct exchange *ex)
{
	const struct msg_sasl_step *step = &m->u.sasl_step;
	const struct page *page = book_find(ex->login);
	struct scram_verifier v;

	if (step->response.len > 0)
		end(c, m, ex, LOGIN_MALFORMED);
	else if (page == NULL || page->state == ACC_REMOVED ||
	    !scram_verifier_parse(&v, page->scram, SCRAM_KEY) ||
	    memcmp(v.stored, ex->scram.verifier.stored, SCRAM_KEY) != 0)
		end(c, m, ex, LOGIN_BUSY); /* it was changed meanwhile */
	else
		end(c, m, ex, card_judge(page, NULL, step->ip, step->legacy));
}

static void
scram_step(struct channel *c, const struct msg *m)
{
	struct id id = { c->serial, m->tag };
	struct exchange *ex, none = { .login = "?" };

	if (exchanges == NULL)
		exchanges = lru_new(EXCHANGES, sizeof(struct exchange), wipe);
	if (m->u.sasl_step.first)
		lru_remove(exchanges, &id, sizeof(id));
	else if (lru_find(exchanges, &id, sizeof(id)) == NULL) {
		end(c, m, &none, LOGIN_BUSY); /* forgotten, for others came */
		return;
	}
	ex = lru_add(exchanges, &id, sizeof(id));
	if (m->u.sasl_step.first ? begin(c, m, ex)
		: ex->proved     ? (finish(c, m, ex), false)
				 : prove(c, m, ex))
		return;
	lru_remove(exchanges, &id, sizeof(id));
}

/* RFC 4422 A: who it is, TLS has proved; the response may say as whom. */
static void
external(struct channel *c, const struct msg *m)
{
	const struct msg_sasl_step *step = &m->u.sasl_step;
	struct exchange ex = { .login = "?" };
	char label[CREDENTIAL_LABEL], authzid[256], wanted[ADDR_SIZE];
	const struct card *card;
	const struct page *page;
	enum outcome outcome;
	struct attempt *a;

	if (step->response.len >= sizeof(authzid) ||
	    (step->response.len > 0 &&
		memchr(step->response.data, '\0', step->response.len) !=
		    NULL)) {
		end(c, m, &ex, LOGIN_MALFORMED);
		return;
	}
	if (step->response.len > 0)
		memcpy(authzid, step->response.data, step->response.len);
	authzid[step->response.len] = '\0';
	if (step->certificate[0] == '\0' ||
	    !credential_of_key(NULL, step->certificate, ex.login, label) ||
	    (page = book_find(ex.login)) == NULL ||
	    (card = page_card(page, label)) == NULL) {
		end(c, m, &ex, LOGIN_UNKNOWN_KEY);
		return;
	}
	ex.known = true;
	outcome = card_judge(page, card, step->ip, step->legacy);
	a = attempt_of(c, m, &ex);
	strcpy(a->credential, label);
	if (authzid[0] != '\0' &&
	    (login_find(wanted, authzid) == NULL ||
		strcmp(wanted, ex.login) != 0))
		attempt_settle(a, LOGIN_AUTHZID, false);
	else
		attempt_settle(a, outcome, false);
}

void
exchange_step(struct channel *c, const struct msg *m)
{
	const struct exchange none = { .login = "" };

	/* Failed ones are answered late: they must not pile up meanwhile. */
	if (attempt_count() >= ATTEMPTS_MAX)
		attempt_settle(attempt_of(c, m, &none), LOGIN_BUSY, false);
	else if (strcmp(m->u.sasl_step.mech, "EXTERNAL") == 0)
		external(c, m);
	else
		scram_step(c, m);
}

void
exchange_close(void)
{
	lru_free(exchanges);
	exchanges = NULL;
}
