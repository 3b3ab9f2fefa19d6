/*
 * resume.c - see resume.h.
 *
 * A list, the newest first: a few hundred entries, and one search of them for
 * each connection, which costs thousands of times as much.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/resume.h"
#include "lib/log.h"
#include "lib/loop.h"

struct entry {
	struct resume_key key;
	SSL_SESSION *session; /* NULL: do not resume */
	const SSL_CTX *ctx;   /* compared, never used */
	int64_t until_ms;
	TAILQ_ENTRY(entry) link;
};

static TAILQ_HEAD(entries, entry) entries = TAILQ_HEAD_INITIALIZER(entries);
static unsigned count;
static int slot = -1; /* of a connection's key */

static void
drop(struct entry *e)
{
	TAILQ_REMOVE(&entries, e, link);
	count--;
	SSL_SESSION_free(e->session);
	free(e);
}

void
resume_clear(void)
{
	while (!TAILQ_EMPTY(&entries))
		drop(TAILQ_FIRST(&entries));
}

unsigned
resume_count(void)
{
	return count;
}

static bool
fits(const struct entry *e, const struct resume_key *key, const SSL_CTX *ctx)
{
	return e->ctx == ctx && memcmp(&e->key, key, sizeof(*key)) == 0;
}

/* Its connection broke, and the library trusts it no more. */
static bool
is_spoilt(const struct entry *e)
{
	return e->session != NULL && !SSL_SESSION_is_resumable(e->session);
}

/* The newest of this key that is not too old; the old ones go. */
static struct entry *
find(const struct resume_key *key, const SSL_CTX *ctx)
{
	struct entry *e, *next;
	int64_t now = loop_now_ms();

	for (e = TAILQ_FIRST(&entries); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->until_ms <= now || is_spoilt(e))
			drop(e);
		else if (fits(e, key, ctx))
			return e;
	}
	return NULL;
}

/* Room for one more: the oldest of its key, or of all. */
static void
make_room(const struct resume_key *key, const SSL_CTX *ctx)
{
	struct entry *e, *last = NULL;
	unsigned n = 0;

	TAILQ_FOREACH (e, &entries, link)
		if (fits(e, key, ctx)) {
			n++;
			last = e;
		}
	if (n >= RESUME_EACH)
		drop(last);
	else if (count >= RESUME_MOST)
		drop(TAILQ_LAST(&entries, entries));
}

static void
add(const struct resume_key *key, const SSL_CTX *ctx, SSL_SESSION *session,
    int64_t life_s)
{
	struct entry *e;

	make_room(key, ctx);
	if ((e = calloc(1, sizeof(*e))) == NULL)
		abort();
	e->key = *key;
	e->session = session;
	e->ctx = ctx;
	e->until_ms = loop_now_ms() + life_s * 1000;
	TAILQ_INSERT_HEAD(&entries, e, link);
	count++;
}

/* A server gave a session.  Returns 1 when it was taken. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	const struct resume_key *key = SSL_get_ex_data(ssl, slot);
	const SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	int64_t life_s = SSL_SESSION_get_timeout(session);
	struct entry *e;

	if (key == NULL || !SSL_SESSION_is_resumable(session) || life_s <= 0)
		return 0;
	e = find(key, ctx);
	if (e != NULL && e->session == NULL)
		return 0;
	add(key, ctx, session, life_s < RESUME_MOST_S ? life_s : RESUME_MOST_S);
	return 1;
}

static void
free_key(
    void *parent, void *key, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(key);
}

void
resume_use(SSL_CTX *ctx)
{
	if (slot == -1)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_key);
	if (slot == -1)
		fatal("TLS: no memory");
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
}

bool
resume_offer(SSL *ssl, const struct resume_key *key)
{
	struct resume_key *own = malloc(sizeof(*own));
	struct entry *e = find(key, SSL_get_SSL_CTX(ssl));
	bool offered;

	if (own == NULL)
		abort();
	*own = *key;
	if (SSL_set_ex_data(ssl, slot, own) != 1)
		fatal("TLS: no memory");
	if (e == NULL || e->session == NULL)
		return false;
	offered = SSL_set_session(ssl, e->session) == 1;
	/* RFC 8446 C.4: a ticket is for one connection, or others could
	 * tell that they are from one client. */
	if (!offered ||
	    SSL_SESSION_get_protocol_version(e->session) >= TLS1_3_VERSION)
		drop(e);
	return offered;
}

void
resume_failed(const SSL *ssl)
{
	const struct resume_key *key = SSL_get_ex_data(ssl, slot);
	const SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	struct entry *e;

	if (key == NULL)
		return;
	while ((e = find(key, ctx)) != NULL)
		drop(e);
	add(key, ctx, NULL, RESUME_MOST_S);
}
