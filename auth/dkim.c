/*
 * dkim.c - see dkim.h.
 *
 * Keys that sign are kept read, the latest ones used; any change forgets them.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "auth/dkim.h"
#include "auth/dkim_key.h"
#include "auth/peers.h"
#include "lib/log.h"

#define ALL_KINDS (1u << DKIM_ED25519 | 1u << DKIM_RSA)
#define KEPT      64 /* keys; their numbers live in a small heap (keys.c) */

struct loaded {
	char name[256 + SELECTOR]; /* "selector domain" */
	enum dkim_algorithm algorithm;
	EVP_PKEY *key;
	UT_hash_handle hh;
};

static struct loaded *loaded;

static void
forget(struct loaded *l)
{
	HASH_DEL(loaded, l);
	EVP_PKEY_free(l->key);
	free(l);
}

void
dkim_close(void)
{
	while (loaded != NULL)
		forget(loaded);
}

/* Walk through the keys of one domain: false at their end. */
static bool
next_of(struct txn *txn, const char *domain, char selector[SELECTOR],
    struct dkim_row *row)
{
	char at[256];

	snprintf(at, sizeof(at), "%s", domain);
	return dkim_next(txn, at, selector, row) && strcmp(at, domain) == 0;
}

void
dkim_find(const char *domain, struct msg_dkim_keys_are *are)
{
	char selector[SELECTOR];
	struct dkim_row row;

	memset(are, 0, sizeof(*are));
	for (; domain != NULL; domain = strchr(domain, '.')) {
		domain += *domain == '.';
		selector[0] = '\0';
		while (next_of(NULL, domain, selector, &row)) {
			if (row.state != DKIM_ACTIVE)
				continue;
			snprintf(
			    are->domain, sizeof(are->domain), "%s", domain);
			memcpy(
			    row.algorithm == DKIM_RSA ? are->rsa : are->ed25519,
			    selector, SELECTOR);
		}
		explicit_bzero(&row, sizeof(row));
		if (are->domain[0] != '\0')
			return;
	}
}

static struct loaded *
load(const char *name, const char *domain, const char *selector)
{
	struct loaded *l;
	struct dkim_row row;
	EVP_PKEY *key;

	if (!dkim_get(NULL, domain, selector, &row))
		return NULL;
	key = row.state == DKIM_ACTIVE ? dkim_key_read(row.secret) : NULL;
	explicit_bzero(row.secret, sizeof(row.secret));
	if (key == NULL)
		return NULL;
	if (HASH_COUNT(loaded) >= KEPT)
		forget(loaded); /* the one unused for longest */
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	strcpy(l->name, name);
	l->algorithm = (enum dkim_algorithm)row.algorithm;
	l->key = key;
	HASH_ADD_STR(loaded, name, l);
	return l;
}

static struct loaded *
find_key(const char *domain, const char *selector)
{
	char name[256 + SELECTOR];
	struct loaded *l;

	snprintf(name, sizeof(name), "%s %s", selector, domain);
	HASH_FIND_STR(loaded, name, l);
	if (l == NULL)
		return load(name, domain, selector);
	HASH_DEL(loaded, l);
	HASH_ADD_STR(loaded, name, l);
	return l;
}

/* False when it was asked for and cannot be. */
static bool
sign(const char *domain, const char *selector, enum dkim_algorithm algorithm,
    struct bytes digest, uint8_t *out, struct bytes *signature)
{
	struct loaded *l;

	if (selector[0] == '\0')
		return true;
	if (digest.len != DKIM_DIGEST ||
	    (l = find_key(domain, selector)) == NULL ||
	    l->algorithm != algorithm)
		return false;
	signature->data = out;
	return dkim_key_sign(
	    l->key, algorithm, digest.data, out, &signature->len);
}

void
dkim_sign(const struct msg_dkim_sign *ask, struct msg_dkim_signed *answer,
    uint8_t out[2][512])
{
	bool good =
	    sign(ask->domain, ask->ed25519, DKIM_ED25519, ask->ed25519_digest,
		out[0], &answer->ed25519_signature) &&
	    sign(ask->domain, ask->rsa, DKIM_RSA, ask->rsa_digest, out[1],
		&answer->rsa_signature);

	answer->verdict = V_OK;
	if (good)
		return;
	memset(answer, 0, sizeof(*answer));
	answer->verdict = V_PERM;
}

/* "p2611e": year and month, and which kind; a number when that is taken. */
static void
name_selector(struct txn *txn, const struct dkim_change *c,
    enum dkim_algorithm algorithm, char out[SELECTOR])
{
	time_t now = (time_t)c->now;
	struct dkim_row row;
	struct tm tm;
	size_t n;

	gmtime_r(&now, &tm);
	n = (size_t)snprintf(out, SELECTOR, "p%02d%02d%c", tm.tm_year % 100,
	    tm.tm_mon + 1, algorithm == DKIM_RSA ? 'r' : 'e');
	for (unsigned i = 2; dkim_get(txn, c->domain, out, &row); i++)
		snprintf(out + n, SELECTOR - n, "%u", i);
	explicit_bzero(&row, sizeof(row));
}

/* A change with the new keys that it needs. */
struct task {
	struct dkim_change *change;
	enum dkim_result result;
	enum dkim_state state; /* of the new keys */
	unsigned kinds;        /* of them: set of 1 << algorithm */
	char secrets[DKIM_ALGORITHMS][sizeof(((struct dkim_row *)0)->secret)];
};

static bool
make_keys(struct task *t)
{
	bool good = true;

	for (int a = 0; a < DKIM_ALGORITHMS && good; a++) {
		EVP_PKEY *key;

		if (!(t->kinds & 1u << a))
			continue;
		key = dkim_key_new((enum dkim_algorithm)a);
		good = key != NULL &&
		    dkim_key_secret(key, t->secrets[a], sizeof(t->secrets[a]));
		EVP_PKEY_free(key);
	}
	return good;
}

static void
write_keys(struct txn *txn, const struct task *t)
{
	const struct dkim_change *c = t->change;
	char selector[SELECTOR];
	struct dkim_row row;

	for (int a = 0; a < DKIM_ALGORITHMS; a++) {
		if (!(t->kinds & 1u << a))
			continue;
		memset(&row, 0, sizeof(row));
		row.algorithm = (uint32_t)a;
		row.state = t->state;
		row.created = row.changed = c->now;
		snprintf(row.by, sizeof(row.by), "%s", c->by);
		memcpy(row.secret, t->secrets[a], sizeof(row.secret));
		name_selector(txn, c, (enum dkim_algorithm)a, selector);
		dkim_put(txn, c->domain, selector, &row);
	}
	explicit_bzero(&row, sizeof(row));
}

/* How many keys of the domain have which state. */
static void
count(struct txn *txn, const char *domain, unsigned counts[DKIM_STATES])
{
	char selector[SELECTOR] = "";
	struct dkim_row row;

	memset(counts, 0, DKIM_STATES * sizeof(counts[0]));
	while (next_of(txn, domain, selector, &row))
		counts[row.state < DKIM_STATES ? row.state : DKIM_RETIRING]++;
	explicit_bzero(&row, sizeof(row));
}

/* May new keys be made that begin in this state? */
static enum dkim_result
may_add(struct txn *txn, const struct task *t)
{
	unsigned n[DKIM_STATES];

	count(txn, t->change->domain, n);
	if (n[DKIM_PENDING] > 0)
		return DKIM_EXISTS;
	if (t->state == DKIM_ACTIVE)
		return n[DKIM_ACTIVE] > 0 ? DKIM_EXISTS : DKIM_DONE;
	return n[DKIM_ACTIVE] > 0 ? DKIM_DONE : DKIM_ABSENT;
}

static bool
add_body(struct txn *txn, void *arg)
{
	struct task *t = arg;

	t->result = may_add(txn, t);
	if (t->result == DKIM_DONE)
		write_keys(txn, t);
	return t->result == DKIM_DONE;
}

static bool
switch_body(struct txn *txn, void *arg)
{
	struct task *t = arg;
	const struct dkim_change *c = t->change;
	unsigned n[DKIM_STATES];
	char selector[SELECTOR] = "";
	struct dkim_row row;

	count(txn, c->domain, n);
	t->result = DKIM_ABSENT;
	if (n[DKIM_PENDING] == 0)
		return false;
	while (next_of(txn, c->domain, selector, &row)) {
		if (row.state >= DKIM_RETIRING)
			continue;
		row.state++;
		row.changed = c->now;
		dkim_put(txn, c->domain, selector, &row);
	}
	explicit_bzero(&row, sizeof(row));
	t->result = DKIM_DONE;
	return true;
}

static bool
retire_body(struct txn *txn, void *arg)
{
	struct task *t = arg;
	struct dkim_change *c = t->change;
	char selector[SELECTOR] = "";
	struct dkim_row row;

	t->result = DKIM_ABSENT;
	while (next_of(txn, c->domain, selector, &row)) {
		if (row.state != DKIM_RETIRING)
			continue;
		c->when = row.changed + DKIM_REST_S;
		if (!c->force && c->when > c->now) {
			t->result = DKIM_EARLY;
			break;
		}
		dkim_del(txn, c->domain, selector);
		t->result = DKIM_DONE;
	}
	explicit_bzero(&row, sizeof(row));
	return t->result == DKIM_DONE;
}

static bool
remove_body(struct txn *txn, void *arg)
{
	struct task *t = arg;
	char selector[SELECTOR] = "";
	struct dkim_row row;

	t->result = DKIM_ABSENT;
	while (next_of(txn, t->change->domain, selector, &row)) {
		dkim_del(txn, t->change->domain, selector);
		t->result = DKIM_DONE;
	}
	explicit_bzero(&row, sizeof(row));
	return t->result == DKIM_DONE;
}

static enum dkim_result
run(struct task *t, bool (*body)(struct txn *, void *))
{
	enum verdict v = store_txn(STORE_SYNC, body, t);

	explicit_bzero(t->secrets, sizeof(t->secrets));
	if (v == V_TEMP)
		return DKIM_NO_ROOM;
	if (v == V_OK) {
		dkim_close();
		peers_dkim_changed();
	}
	return t->result;
}

static unsigned
active_kinds(const char *domain)
{
	char selector[SELECTOR] = "";
	struct dkim_row row;
	unsigned kinds = 0;

	while (next_of(NULL, domain, selector, &row))
		if (row.state == DKIM_ACTIVE && row.algorithm < DKIM_ALGORITHMS)
			kinds |= 1u << row.algorithm;
	explicit_bzero(&row, sizeof(row));
	return kinds;
}

static enum dkim_result
add(struct dkim_change *c, enum dkim_state state)
{
	struct task t = { .change = c, .state = state };

	t.result = may_add(NULL, &t);
	if (t.result != DKIM_DONE)
		return t.result;
	t.kinds = state == DKIM_PENDING ? active_kinds(c->domain) : c->kinds;
	t.kinds &= ALL_KINDS;
	if (t.kinds == 0)
		t.kinds = ALL_KINDS;
	return make_keys(&t) ? run(&t, add_body) : DKIM_FAILED;
}

enum dkim_result
dkim_add(struct dkim_change *c)
{
	return add(c, DKIM_ACTIVE);
}

enum dkim_result
dkim_prepare(struct dkim_change *c)
{
	return add(c, DKIM_PENDING);
}

enum dkim_result
dkim_switch(struct dkim_change *c)
{
	return run(&(struct task){ .change = c }, switch_body);
}

enum dkim_result
dkim_retire(struct dkim_change *c)
{
	return run(&(struct task){ .change = c }, retire_body);
}

enum dkim_result
dkim_remove(struct dkim_change *c)
{
	return run(&(struct task){ .change = c }, remove_body);
}

void
dkim_describe(const char *domain, const char *selector,
    const struct dkim_row *row, struct msg_dkim_row *r)
{
	EVP_PKEY *key = dkim_key_read(row->secret);

	snprintf(r->domain, sizeof(r->domain), "%s", domain);
	snprintf(r->selector, sizeof(r->selector), "%s", selector);
	r->algorithm = row->algorithm;
	r->state = row->state;
	r->created = row->created;
	r->changed = row->changed;
	snprintf(r->by, sizeof(r->by), "%s", row->by);
	if (key == NULL ||
	    !dkim_key_public(key, (enum dkim_algorithm)row->algorithm, r->key,
		sizeof(r->key)))
		fatal("store: a key of %s is damaged", domain);
	EVP_PKEY_free(key);
}
