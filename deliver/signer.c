/*
 * signer.c - see signer.h.
 *
 *   KEYS   auth was asked which keys its domain has
 *   SIGN   auth was asked to sign
 *   READY  there is an answer, kept for the message's other jobs
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "deliver/domain_keys.h"
#include "deliver/keeper.h"
#include "deliver/signer.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sha256.h"
#include "mail/base64.h"
#include "mail/dkim.h"

#define KEPT  512 /* signatures, of about 1,300 bytes */
#define TRIES 3   /* keys may change between two questions */

#define AHEAD_MS 60000 /* more than clocks are apart */

enum state { KEYS, SIGN, READY };

struct key {
	uint64_t id;
	uint64_t what; /* was done to it on its way */
};

struct waiter {
	uint64_t ticket;
	signer_fn *fn;
	void *arg;
	TAILQ_ENTRY(waiter) link;
};

/* What is needed until it is signed. */
struct draft {
	struct buf header;
	struct dkim_header chosen; /* borrows from header */
	char body_hash[BASE64_SIZE(SHA256_SIZE)];
	char domain[256]; /* of From: */
	size_t len[DKIM_ALGORITHMS];
	char fields[DKIM_ALGORITHMS][DKIM_SIGNATURE_MAX];
	unsigned tries;
};

struct signing {
	struct key key;
	uint64_t tag; /* of the question under way */
	enum state state;
	struct draft *draft; /* NULL when READY */
	char *text;          /* when READY */
	int64_t when_ms;     /* it was signed, by the wall clock */
	bool telling;        /* its waiters */
	TAILQ_HEAD(, waiter) waiters;
	UT_hash_handle hh, hh_tag;
};

static struct signing *signings; /* by message, in the order of their coming */
static struct signing *asking;   /* by tag */
static uint64_t last_tag, last_ticket;
static TAILQ_HEAD(, waiter) refused = TAILQ_HEAD_INITIALIZER(refused);
static struct timer refusing;

static void
draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	buf_release(&d->header);
	free(d);
}

static void
forget(struct signing *s)
{
	assert(TAILQ_EMPTY(&s->waiters));
	if (s->state != READY)
		HASH_DELETE(hh_tag, asking, s);
	HASH_DEL(signings, s);
	draft_free(s->draft);
	free(s->text);
	free(s);
}

/* Make room: the oldest that nobody waits for. */
static void
forget_oldest(void)
{
	struct signing *s, *next;

	HASH_ITER(hh, signings, s, next)
	if (s->state == READY && !s->telling) {
		forget(s);
		return;
	}
}

static struct key
key_of(uint64_t id, const struct reading *r)
{
	return (struct key){ id, r->what };
}

/* By a clock that was ahead: verifiers take no signature of the future. */
static bool
is_ahead(const struct signing *s)
{
	return s->state == READY && !s->telling &&
	    s->when_ms > loop_wall_ms() + AHEAD_MS;
}

static struct signing *
find(uint64_t id, const struct reading *r)
{
	struct key key = key_of(id, r);
	struct signing *s;

	HASH_FIND(hh, signings, &key, sizeof(key), s);
	if (s == NULL || !is_ahead(s))
		return s;
	forget(s);
	return NULL;
}

/* Whoever waits gets the answer; a waiter may ask for another one. */
static void
become_ready(struct signing *s, char *text)
{
	struct waiter *w;

	s->state = READY;
	s->text = text;
	draft_free(s->draft);
	s->draft = NULL;
	s->telling = true;
	while ((w = TAILQ_FIRST(&s->waiters)) != NULL) {
		TAILQ_REMOVE(&s->waiters, w, link);
		w->fn(w->arg, text);
		free(w);
	}
	s->telling = false;
}

static void
refuse_all(void *arg)
{
	struct waiter *w;

	(void)arg;
	while ((w = TAILQ_FIRST(&refused)) != NULL) {
		TAILQ_REMOVE(&refused, w, link);
		w->fn(w->arg, NULL);
		free(w);
	}
}

/* There is nobody to sign it. */
static void
give_up(struct signing *s)
{
	struct waiter *w;

	while ((w = TAILQ_FIRST(&s->waiters)) != NULL) {
		TAILQ_REMOVE(&s->waiters, w, link);
		TAILQ_INSERT_TAIL(&refused, w, link);
	}
	forget(s);
	if (!refusing.ready)
		timer_init(&refusing, refuse_all, NULL);
	timer_set(&refusing, 0);
}

static void
feed(void *hash, const char *s, size_t n)
{
	sha256_feed(hash, s, n);
}

/* Write a signature field up to its b=, and what is to be signed for it. */
static void
compose(struct draft *d, enum dkim_algorithm algorithm,
    const struct msg_dkim_keys_are *keys, const char *selector,
    const struct sha256 *chosen, uint8_t digest[SHA256_SIZE])
{
	static struct sha256 *hash;
	struct dkim_tags tags = { .algorithm = algorithm == DKIM_RSA
		    ? "rsa-sha256"
		    : "ed25519-sha256",
		.domain = keys->domain,
		.selector = selector,
		.when = (uint64_t)loop_wall_ms() / 1000,
		.body_hash = d->body_hash,
		.names = d->chosen.names };
	char *field = d->fields[algorithm];

	if (hash == NULL)
		hash = sha256_new();
	sha256_copy(hash, chosen);
	d->len[algorithm] = dkim_signature_begin(field, &tags);
	dkim_field(field, d->len[algorithm], feed, hash);
	sha256_end(hash, digest);
}

/* The keys are known. */
static void
ask_to_sign(struct signing *s, const struct msg_dkim_keys_are *keys)
{
	static struct sha256 *chosen;
	struct msg m = { .type = MSG_DKIM_SIGN, .tag = s->tag };
	struct msg_dkim_sign *ask = &m.u.dkim_sign;
	uint8_t digests[DKIM_ALGORITHMS][SHA256_SIZE];
	struct draft *d = s->draft;

	if (chosen == NULL)
		chosen = sha256_new();
	sha256_reset(chosen);
	dkim_header_put(&d->chosen, feed, chosen);
	memcpy(ask->domain, keys->domain, sizeof(ask->domain));
	memcpy(ask->ed25519, keys->ed25519, sizeof(ask->ed25519));
	memcpy(ask->rsa, keys->rsa, sizeof(ask->rsa));
	if (keys->ed25519[0] != '\0') {
		compose(d, DKIM_ED25519, keys, keys->ed25519, chosen,
		    digests[DKIM_ED25519]);
		ask->ed25519_digest =
		    (struct bytes){ digests[DKIM_ED25519], SHA256_SIZE };
	}
	if (keys->rsa[0] != '\0') {
		compose(
		    d, DKIM_RSA, keys, keys->rsa, chosen, digests[DKIM_RSA]);
		ask->rsa_digest =
		    (struct bytes){ digests[DKIM_RSA], SHA256_SIZE };
	}
	s->state = SIGN;
	s->when_ms = loop_wall_ms();
	if (!keeper_send(&m))
		give_up(s);
}

static void
be_unsigned(struct signing *s)
{
	char *nothing = strdup("");

	if (nothing == NULL)
		abort();
	HASH_DELETE(hh_tag, asking, s);
	become_ready(s, nothing);
}

static void
use_keys(struct signing *s, const struct msg_dkim_keys_are *keys)
{
	if (keys->domain[0] != '\0') {
		ask_to_sign(s, keys);
		return;
	}
	domain_keys_lack(s->draft->domain);
	be_unsigned(s);
}

static void
ask_for_keys(struct signing *s)
{
	struct msg m = { .type = MSG_DKIM_KEYS, .tag = s->tag };

	s->state = KEYS;
	memcpy(m.u.dkim_keys.domain, s->draft->domain,
	    sizeof(m.u.dkim_keys.domain));
	if (!keeper_send(&m))
		give_up(s);
}

static size_t
end_field(struct draft *d, enum dkim_algorithm a, struct bytes signature)
{
	char text[BASE64_SIZE(512)];

	if (signature.len == 0 || signature.len > 512)
		return 0;
	base64_encode(signature.data, signature.len, text);
	return dkim_signature_end(d->fields[a], d->len[a], text);
}

static void
on_signed(struct signing *s, const struct msg_dkim_signed *m)
{
	struct draft *d = s->draft;
	size_t rsa, ed25519;
	char *text;

	if (m->verdict != V_OK) {
		/* The keys have changed meanwhile. */
		domain_keys_forget();
		if (++d->tries < TRIES)
			ask_for_keys(s);
		else
			give_up(s);
		return;
	}
	rsa = end_field(d, DKIM_RSA, m->rsa_signature);
	ed25519 = end_field(d, DKIM_ED25519, m->ed25519_signature);
	text = malloc(rsa + ed25519 + 1);
	if (text == NULL)
		abort();
	memcpy(text, d->fields[DKIM_RSA], rsa);
	memcpy(text + rsa, d->fields[DKIM_ED25519], ed25519);
	text[rsa + ed25519] = '\0';
	HASH_DELETE(hh_tag, asking, s);
	become_ready(s, text);
}

/* What auth has answered before is no longer so. */
static void
on_changed(void)
{
	struct signing *s, *next;

	domain_keys_forget();
	HASH_ITER(hh, signings, s, next)
	if (s->state == READY)
		forget(s);
}

void
signer_answered(const struct msg *m)
{
	struct signing *s;

	if (m->type == MSG_DKIM_CHANGED) {
		on_changed();
		return;
	}
	HASH_FIND(hh_tag, asking, &m->tag, sizeof(m->tag), s);
	if (s == NULL)
		return; /* nobody waited any more */
	if (m->type == MSG_DKIM_SIGNED && s->state == SIGN) {
		on_signed(s, &m->u.dkim_signed);
	} else if (m->type == MSG_DKIM_KEYS_ARE && s->state == KEYS) {
		domain_keys_learn(s->draft->domain, &m->u.dkim_keys_are);
		use_keys(s, &m->u.dkim_keys_are);
	} else {
		fatal("auth broke the protocol: %s", msg_name(m->type));
	}
}

void
signer_bereaved(void)
{
	struct signing *s, *next;

	HASH_ITER(hh_tag, asking, s, next)
	give_up(s);
	on_changed();
}

/* Read what is to be signed; false when the message cannot be read. */
static bool
read_message(struct draft *d, struct reading *r, bool *can)
{
	uint8_t hash[SHA256_SIZE];

	if (!reading_scan(r, &d->header, hash))
		return false;
	base64_encode(hash, sizeof(hash), d->body_hash);
	*can =
	    dkim_header_read(&d->chosen, buf_data(&d->header), d->header.len) &&
	    dkim_author(buf_data(&d->header), d->header.len, d->domain);
	return true;
}

static struct signing *
begin(uint64_t id, const struct reading *r)
{
	struct signing *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->draft = malloc(sizeof(*s->draft))) == NULL)
		abort();
	memset(&s->draft->header, 0, sizeof(s->draft->header));
	s->draft->tries = 0;
	s->key = key_of(id, r);
	s->tag = ++last_tag;
	TAILQ_INIT(&s->waiters);
	if (HASH_COUNT(signings) >= KEPT)
		forget_oldest();
	HASH_ADD(hh, signings, key, sizeof(s->key), s);
	HASH_ADD(hh_tag, asking, tag, sizeof(s->tag), s);
	return s;
}

static void
wait_for(struct signing *s, uint64_t ticket, signer_fn *fn, void *arg)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	w->ticket = ticket;
	w->fn = fn;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&s->waiters, w, link);
}

static bool
is_keyless(const char *domain)
{
	const struct msg_dkim_keys_are *keys = domain_keys_find(domain);

	return keys != NULL && keys->domain[0] == '\0';
}

/* The first question: about the keys, or to sign when they are known. */
static void
ask(struct signing *s)
{
	const struct msg_dkim_keys_are *keys =
	    domain_keys_find(s->draft->domain);

	if (keys != NULL)
		ask_to_sign(s, keys);
	else
		ask_for_keys(s);
}

const char *
signer_find(uint64_t id, const struct reading *r)
{
	const struct signing *s = find(id, r);

	return s != NULL && s->state == READY ? s->text : NULL;
}

uint64_t
signer_ask(uint64_t id, struct reading *r, signer_fn *fn, void *arg)
{
	struct signing *s = find(id, r);
	bool can = false, readable;

	if (s != NULL) {
		assert(s->state != READY);
		wait_for(s, ++last_ticket, fn, arg);
		return last_ticket;
	}
	s = begin(id, r);
	readable = read_message(s->draft, r, &can);
	if (readable && (!can || is_keyless(s->draft->domain))) {
		domain_keys_lack(can ? s->draft->domain : "");
		be_unsigned(s);
		return 0;
	}
	wait_for(s, ++last_ticket, fn, arg);
	if (!readable)
		give_up(s);
	else
		ask(s);
	return last_ticket;
}

void
signer_forget(uint64_t ticket)
{
	struct signing *s, *next;
	struct waiter *w;

	if (ticket == 0)
		return;
	TAILQ_FOREACH (w, &refused, link)
		if (w->ticket == ticket) {
			TAILQ_REMOVE(&refused, w, link);
			free(w);
			return;
		}
	HASH_ITER(hh, signings, s, next)
	TAILQ_FOREACH (w, &s->waiters, link)
		if (w->ticket == ticket) {
			TAILQ_REMOVE(&s->waiters, w, link);
			free(w);
			return;
		}
}
