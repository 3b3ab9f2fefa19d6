/*
 * signer.c - see signer.h.
 *
 * A thread for each line: it sleeps in the read, is woken by the question and
 * sleeps again when it has answered.  One mutex guards the keys and the list
 * of lines; who signs holds it, and the loop for a new key or line.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "auth/signer.h"
#include "ipc/channel.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/loop.h"

#define LINES 256            /* a thread each */
#define KEYS  (2 * CONF_TLS) /* those in use, and those before */
/* Handshakes that began with a key, and an smtpd that is slow to reload, are
 * served for so long, however many reloads come meanwhile. */
#define KEEP_MS    120000
#define SIGNATURE  1024
#define PATIENCE_S 1 /* for a line that does not read its answer */

struct key {
	char name[SHA256_HEX];
	EVP_PKEY_CTX *ctx;   /* NULL: no key */
	enum sign_op op;     /* what this kind of key can do */
	unsigned generation; /* the last that it was used in */
	int64_t until_ms;    /* ... which ended then */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct key keys[KEYS];
static unsigned generation;
static struct line {
	int fd;
	bool used, ended; /* ended: its thread is about to */
	pthread_t thread;
} lines[LINES];

static struct key *
find_key(const char *name)
{
	for (int i = 0; i < KEYS; i++)
		if (keys[i].ctx != NULL && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/*
 * One operation without a digest of our own: for EC the data is the digest
 * that is signed; for RSA it is what is padded and raised to the private
 * exponent.
 */
static bool
sign(const struct msg_tls_sign *ask, uint8_t *out, size_t *n)
{
	const struct key *k = find_key(ask->key);

	if (k == NULL || ask->op != k->op)
		return false;
	if (k->op == SIGN_RSA_PRIVATE &&
	    ((ask->padding != RSA_PKCS1_PADDING &&
		 ask->padding != RSA_NO_PADDING) ||
		EVP_PKEY_CTX_set_rsa_padding(k->ctx, (int)ask->padding) != 1))
		return false;
	*n = SIGNATURE;
	return EVP_PKEY_sign(k->ctx, out, n, ask->data.data, ask->data.len) ==
	    1;
}

/* Answer one question; false at the end of the line. */
static bool
serve(int fd, uint8_t *record)
{
	struct msg m, r = { .type = MSG_TLS_SIGNED };
	uint8_t signature[SIGNATURE];
	size_t n = 0;
	bool ok;

	if (!message_recv(fd, P_SMTPD, P_AUTH, &m, record, NULL))
		return false;
	if (m.type != MSG_TLS_SIGN)
		return false;
	pthread_mutex_lock(&mutex);
	ok = sign(&m.u.tls_sign, signature, &n);
	pthread_mutex_unlock(&mutex);
	if (!ok)
		ERR_clear_error();
	r.tag = m.tag;
	r.u.tls_signed.verdict = ok ? V_OK : V_PERM;
	r.u.tls_signed.signature = (struct bytes){ signature, ok ? n : 0 };
	return message_send_in(fd, &r, -1, record);
}

static void *
run(void *arg)
{
	struct line *line = arg;
	uint8_t *record = malloc(MSG_MAX);

	if (record == NULL)
		abort();
	while (serve(line->fd, record))
		;
	free(record);
	pthread_mutex_lock(&mutex);
	line->ended = true;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void
end_line(struct line *line)
{
	/* Its thread may be in the middle of a read. */
	shutdown(line->fd, SHUT_RDWR);
	pthread_join(line->thread, NULL);
	close(line->fd);
	*line = (struct line){ 0 };
}

/* A place for a line; those whose smtpd is gone are cleared up. */
static struct line *
place_line(void)
{
	struct line *free_one = NULL;
	bool ended;

	for (struct line *l = lines; l < lines + LINES; l++) {
		pthread_mutex_lock(&mutex);
		ended = l->ended;
		pthread_mutex_unlock(&mutex);
		if (ended)
			end_line(l);
		if (!l->used && free_one == NULL)
			free_one = l;
	}
	return free_one;
}

static void
start(struct line *line)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&line->thread, NULL, run, line) != 0)
		fatal("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
signer_serve(int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct line *line = place_line();

	if (line == NULL)
		fatal("more than %d lines to sign for", LINES);
	/* One smtpd that does not read must not keep its thread for ever. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == -1)
		fatal("SO_SNDTIMEO: %s", strerror(errno));
	line->fd = fd;
	line->used = true;
	start(line);
}

static void
clear_key(struct key *key)
{
	EVP_PKEY_CTX_free(key->ctx);
	memset(key, 0, sizeof(*key));
}

/* Of those that are not in use any more. */
static struct key *
oldest_key(void)
{
	struct key *oldest = NULL;

	for (struct key *k = keys; k < keys + KEYS; k++)
		if (k->generation != generation &&
		    (oldest == NULL || k->generation < oldest->generation))
			oldest = k;
	return oldest;
}

static struct key *
place_of(const char *name)
{
	struct key *empty = NULL;

	for (struct key *k = keys; k < keys + KEYS; k++)
		if (k->ctx != NULL && strcmp(k->name, name) == 0)
			return k;
		else if (k->ctx == NULL)
			empty = k;
	return empty != NULL ? empty : oldest_key();
}

void
signer_begin(void)
{
	int64_t now = loop_now_ms();

	pthread_mutex_lock(&mutex);
	for (struct key *k = keys; k < keys + KEYS; k++)
		if (k->generation == generation)
			k->until_ms = now;
		else if (k->ctx != NULL && now - k->until_ms > KEEP_MS)
			clear_key(k);
	generation++;
	pthread_mutex_unlock(&mutex);
}

void
signer_use(const char name[SHA256_HEX], EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	enum sign_op op =
	    EVP_PKEY_is_a(key, "EC") ? SIGN_ECDSA : SIGN_RSA_PRIVATE;
	struct key *k;

	EVP_PKEY_free(key); /* the context holds it */
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1)
		fatal("cannot sign with the TLS key");
	pthread_mutex_lock(&mutex);
	k = place_of(name);
	assert(k != NULL);
	clear_key(k);
	snprintf(k->name, sizeof(k->name), "%s", name);
	k->ctx = ctx;
	k->op = op;
	k->generation = generation;
	pthread_mutex_unlock(&mutex);
}

void
signer_keep(const char name[SHA256_HEX])
{
	struct key *k;

	pthread_mutex_lock(&mutex);
	k = place_of(name);
	if (k != NULL && strcmp(k->name, name) == 0)
		k->generation = generation;
	pthread_mutex_unlock(&mutex);
}

void
signer_stop(void)
{
	for (struct line *l = lines; l < lines + LINES; l++)
		if (l->used)
			end_line(l);
	for (int i = 0; i < KEYS; i++)
		clear_key(&keys[i]);
}
