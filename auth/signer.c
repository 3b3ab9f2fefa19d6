/*
 * signer.c - see signer.h.
 *
 * One mutex guards the keys and the list of new lines.  The thread holds it
 * while it signs; the loop takes it only for a new key or line.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "auth/signer.h"
#include "ipc/channel.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/loop.h"

#define LINES 256
#define KEYS  (2 * CONF_TLS) /* those in use, and those before */
/* Handshakes that began with a key, and an smtpd that is slow to reload, are
 * served for so long, however many reloads come meanwhile. */
#define KEEP_MS    120000
#define SIGNATURE  1024
#define PATIENCE_S 1 /* for a line that does not read its answer */

struct key {
	char name[65];
	EVP_PKEY_CTX *ctx;
	unsigned generation; /* the last that it was used in */
	int64_t until_ms;    /* ... which ended then */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct key keys[KEYS];
static unsigned generation;
static int added[LINES]; /* lines that the thread has not seen yet */
static size_t nadded;
static bool stopping;

static pthread_t thread;
static bool running;
static int wake_fd = -1;

static EVP_PKEY_CTX *
find_key(const char *name)
{
	for (int i = 0; i < KEYS; i++)
		if (keys[i].ctx != NULL && strcmp(keys[i].name, name) == 0)
			return keys[i].ctx;
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
	EVP_PKEY_CTX *ctx = find_key(ask->key);
	EVP_PKEY *key;

	if (ctx == NULL)
		return false;
	key = EVP_PKEY_CTX_get0_pkey(ctx);
	switch (ask->op) {
	case SIGN_ECDSA:
		if (!EVP_PKEY_is_a(key, "EC"))
			return false;
		break;
	case SIGN_RSA_PRIVATE:
		if (!EVP_PKEY_is_a(key, "RSA") ||
		    (ask->padding != RSA_PKCS1_PADDING &&
			ask->padding != RSA_NO_PADDING) ||
		    EVP_PKEY_CTX_set_rsa_padding(ctx, (int)ask->padding) != 1)
			return false;
		break;
	default:
		return false;
	}
	*n = SIGNATURE;
	return EVP_PKEY_sign(ctx, out, n, ask->data.data, ask->data.len) == 1;
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

/* Take over the new lines behind lines[n]; returns the new n. */
static size_t
take_lines(struct pollfd *lines, size_t n)
{
	uint64_t count;

	if (read(wake_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
		fatal("eventfd: %s", strerror(errno));
	for (size_t i = 0; i < nadded; i++) {
		if (n == 1 + LINES)
			fatal("more than %d lines to sign for", LINES);
		lines[n++] = (struct pollfd){ added[i], POLLIN, 0 };
	}
	nadded = 0;
	return n;
}

static size_t
serve_ready(struct pollfd *lines, size_t n, uint8_t *record)
{
	for (size_t i = 1; i < n;) {
		if (lines[i].revents == 0 || serve(lines[i].fd, record)) {
			i++;
			continue;
		}
		close(lines[i].fd);
		lines[i] = lines[--n];
	}
	return n;
}

static void *
run(void *arg)
{
	struct pollfd lines[1 + LINES] = { { wake_fd, POLLIN, 0 } };
	uint8_t *record = arg;
	bool stop = false;
	size_t n = 1;

	while (!stop) {
		if (poll(lines, n, -1) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll: %s", strerror(errno));
		}
		n = serve_ready(lines, n, record);
		pthread_mutex_lock(&mutex);
		if (lines[0].revents != 0)
			n = take_lines(lines, n);
		stop = stopping;
		pthread_mutex_unlock(&mutex);
	}
	while (n > 1)
		close(lines[--n].fd);
	free(record);
	return NULL;
}

static void
wake(void)
{
	const uint64_t one = 1;

	if (write(wake_fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		fatal("eventfd: %s", strerror(errno));
}

static void
start(void)
{
	uint8_t *record = malloc(MSG_MAX);
	sigset_t all, before;

	if (record == NULL)
		abort();
	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake_fd == -1)
		fatal("eventfd: %s", strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, run, record) != 0)
		fatal("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	running = true;
}

void
signer_serve(int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	/* One smtpd that does not read must not stop the others. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == -1)
		fatal("SO_SNDTIMEO: %s", strerror(errno));
	if (!running)
		start();
	pthread_mutex_lock(&mutex);
	if (nadded == LINES)
		fatal("more than %d lines to sign for", LINES);
	added[nadded++] = fd;
	pthread_mutex_unlock(&mutex);
	wake();
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
signer_use(const char name[65], EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
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
	k->generation = generation;
	pthread_mutex_unlock(&mutex);
}

void
signer_keep(const char name[65])
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
	if (running) {
		pthread_mutex_lock(&mutex);
		stopping = true;
		pthread_mutex_unlock(&mutex);
		wake();
		pthread_join(thread, NULL);
		close(wake_fd);
		running = stopping = false;
	}
	while (nadded > 0)
		close(added[--nadded]);
	for (int i = 0; i < KEYS; i++)
		clear_key(&keys[i]);
}
