/*
 * certificate.c - see certificate.h.
 *
 * A reload reaches auth and us at about the same time, so auth may still be
 * reading the new key when we ask for a first signature: hence the tries.
 */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ipc/child.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "smtpd/certificate.h"
#include "smtpd/facts.h"
#include "smtpd/keyless.h"

#define CHAIN_MOST (256 * 1024)
#define TRIES      400
#define TRY_MS     25

enum { MODERN, LEGACY, KINDS };

/* A file's contents and what was made of it; all zero: none. */
struct chain {
	char *pem;
	size_t len;
	SSL_CTX *ctx[KINDS];
};

/* Of one [tls] section. */
struct certificate {
	char section[256];
	struct chain live, next; /* next waits for a first signature */
	enum keyless last;       /* how that ended */
};

/* Who gets it: a name or a "*.pattern" of a certificate. */
struct name {
	char name[256];
	size_t at; /* in certificates[] */
	UT_hash_handle hh;
};

static struct certificate certificates[CONF_TLS], incoming[CONF_TLS];
static size_t ncertificates, nincoming;
static struct name *names;
static struct timer again;
static int tries;
static bool want_legacy;
static bool (*hold)(void);
static int kinds[KINDS] = { MODERN, LEGACY };

static void
clear(struct chain *c)
{
	for (int k = 0; k < KINDS; k++)
		SSL_CTX_free(c->ctx[k]);
	free(c->pem);
	memset(c, 0, sizeof(*c));
}

static bool
is_same(const struct chain *a, const struct chain *b)
{
	return a->pem != NULL && b->pem != NULL && a->len == b->len &&
	    memcmp(a->pem, b->pem, a->len) == 0;
}

static void
log_status(const struct certificate *c, const char *status, const char *reason)
{
	/* One of the workers speaks for all when there is nothing wrong. */
	if (*reason != '\0')
		log_event("tls.certificate", "status=%s section=%s reason=%s",
		    status, *c->section != '\0' ? c->section : "-",
		    log_quote(reason));
	else if (child_index() == 0 && strcmp(status, "new") == 0)
		log_event("tls.certificate", "status=%s section=%s", status,
		    *c->section != '\0' ? c->section : "-");
}

void
certificate_take(const char *section, int fd)
{
	struct certificate *c;

	if (nincoming == CONF_TLS)
		fatal("more certificates than sections");
	c = &incoming[nincoming++];
	snprintf(c->section, sizeof(c->section), "%s", section);
	c->next.pem = child_read_file(fd, CHAIN_MOST, &c->next.len);
}

static SSL_CTX *
find_context(void *arg, const char *asked)
{
	const int *kind = arg;
	char pattern[258];
	const char *dot;
	struct name *n;

	HASH_FIND_STR(names, asked, n);
	if (n == NULL && (dot = strchr(asked, '.')) != NULL) {
		snprintf(pattern, sizeof(pattern), "*%s", dot);
		HASH_FIND_STR(names, pattern, n);
	}
	return n != NULL ? certificates[n->at].live.ctx[*kind] : NULL;
}

/* The first certificate that claims a name has it. */
static void
add_name(void *arg, const char *text)
{
	const size_t *at = arg;
	struct name *n;

	HASH_FIND_STR(names, text, n);
	if (n != NULL)
		return;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		abort();
	snprintf(n->name, sizeof(n->name), "%s", text);
	n->at = *at;
	HASH_ADD_STR(names, name, n);
}

static void
collect_names(void)
{
	struct name *n, *tmp;

	HASH_ITER(hh, names, n, tmp)
	{
		HASH_DEL(names, n);
		free(n);
	}
	/* What a section is called is what the operator wants most. */
	for (size_t i = 1; i < ncertificates; i++)
		if (certificates[i].live.pem != NULL)
			add_name(&i, certificates[i].section);
	for (size_t i = 0; i < ncertificates; i++)
		if (certificates[i].live.pem != NULL)
			tls_each_name(SSL_CTX_get0_certificate(
					  certificates[i].live.ctx[MODERN]),
			    add_name, &i);
}

static bool
build(struct chain *c, int kind, char *err, size_t size)
{
	SSL_CTX *ctx = kind == LEGACY ? tls_legacy_new() : tls_server_new();
	EVP_PKEY *pub = NULL;
	bool ok;

	ok = tls_use_chain(ctx, c->pem, c->len, &pub, err, size) &&
	    keyless_use(ctx, pub, err, size);
	EVP_PKEY_free(pub);
	if (!ok) {
		SSL_CTX_free(ctx);
		return false;
	}
	tls_use_tickets(ctx);
	tls_use_names(ctx, find_context, &kinds[kind]);
	tls_use_hold(ctx, hold);
	facts_take_any(ctx);
	SSL_CTX_free(c->ctx[kind]);
	c->ctx[kind] = ctx;
	return true;
}

static bool
complete(struct chain *c, char *err, size_t size)
{
	if (c->pem == NULL) {
		snprintf(err, size, "unreadable or over 256 KiB");
		return false;
	}
	return (c->ctx[MODERN] != NULL || build(c, MODERN, err, size)) &&
	    (!want_legacy || c->ctx[LEGACY] != NULL ||
		build(c, LEGACY, err, size));
}

static void
install(struct certificate *c)
{
	clear(&c->live);
	c->live = c->next;
	memset(&c->next, 0, sizeof(c->next));
}

static bool
try_all(void)
{
	bool more = false, changed = false;

	for (size_t i = 0; i < ncertificates; i++) {
		struct certificate *c = &certificates[i];

		if (c->next.pem == NULL)
			continue;
		c->last = keyless_try(c->next.ctx[MODERN]);
		if (c->last == KEYLESS_FITS) {
			install(c);
			log_status(c, "new", "");
			changed = true;
		} else {
			more = true;
		}
	}
	if (changed)
		collect_names();
	return more;
}

static void
give_up(void)
{
	static const char *const reasons[] = {
		[KEYLESS_SILENT] = "auth does not answer",
		[KEYLESS_REFUSED] = "auth has no key for it",
		[KEYLESS_DIFFERS] = "its key is another one",
	};

	for (size_t i = 0; i < ncertificates; i++)
		if (certificates[i].next.pem != NULL) {
			log_status(&certificates[i],
			    certificates[i].live.pem != NULL ? "kept" : "none",
			    reasons[certificates[i].last]);
			clear(&certificates[i].next);
		}
}

static void
attempt(void *arg)
{
	(void)arg;
	if (!try_all())
		return;
	if (--tries > 0)
		timer_set(&again, TRY_MS);
	else
		give_up();
}

static struct certificate *
find(struct certificate *list, size_t n, const char *section)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].section, section) == 0)
			return &list[i];
	return NULL;
}

/*
 * Take over what there was, and what came for it.  With nothing to fall back
 * on, neither its own nor, as long as we have been serving, the first one,
 * there is no choice but to take it at once.
 */
static void
renew(struct certificate *c, struct certificate *old, struct certificate *fresh,
    bool serving)
{
	char err[160] = "";

	if (old != NULL) {
		c->live = old->live;
		memset(&old->live, 0, sizeof(old->live));
		if (!complete(&c->live, err, sizeof(err)))
			clear(&c->live);
	}
	if (fresh == NULL || is_same(&fresh->next, &c->live))
		return;
	c->next = fresh->next;
	memset(&fresh->next, 0, sizeof(fresh->next));
	if (!complete(&c->next, err, sizeof(err))) {
		log_status(c, c->live.pem != NULL ? "kept" : "none", err);
		clear(&c->next);
	} else if (c->live.pem == NULL &&
	    (!serving || certificates[0].live.pem == NULL)) {
		install(c);
	}
}

void
certificate_adopt(const struct conf *conf, bool (*may_hold)(void))
{
	static struct certificate before[CONF_TLS];
	size_t nbefore = ncertificates;

	hold = may_hold;
	want_legacy = false;
	for (size_t i = 0; i < conf->nlistens; i++)
		want_legacy = want_legacy || conf->listens[i].legacy;
	memcpy(before, certificates, sizeof(before));
	memset(certificates, 0, sizeof(certificates));
	ncertificates = conf->ntls;
	for (size_t i = 0; i < ncertificates; i++) {
		struct certificate *c = &certificates[i];

		snprintf(
		    c->section, sizeof(c->section), "%s", conf->tls[i].name);
		renew(c, find(before, nbefore, c->section),
		    find(incoming, nincoming, c->section), nbefore > 0);
	}
	for (size_t i = 0; i < nbefore; i++) {
		clear(&before[i].live);
		clear(&before[i].next);
	}
	for (; nincoming > 0; nincoming--)
		clear(&incoming[nincoming - 1].next);
	collect_names();
	if (!again.ready)
		timer_init(&again, attempt, NULL);
	timer_clear(&again);
	tries = TRIES;
	attempt(NULL);
}

SSL_CTX *
certificate_context(bool legacy)
{
	return ncertificates > 0 ? certificates[0].live.ctx[legacy] : NULL;
}
