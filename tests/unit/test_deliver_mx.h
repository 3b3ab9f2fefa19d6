/*
 * test_deliver_mx.h - an SMTP server for the tests of deliver: it counts, and
 * misbehaves on request.
 */
#ifndef TESTS_TEST_DELIVER_MX_H
#define TESTS_TEST_DELIVER_MX_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	pthread_mutex_t lock;
	const char *on, *answer; /* misbehaviour: to this command this reply;
				    "close" hangs up, "hang" waits */
	int once;                /* only the first time */
	int connections, mails;
	int secured;   /* mails that came in TLS */
	int resumed;   /* handshakes that went on with a session */
	int shaken;    /* all handshakes that came to an end */
	bool one_mail; /* a connection */
	size_t bytes;  /* of the last mail, as sent */
	unsigned hash; /* of its bytes */
	bool starttls, implicit;
	char auth[100];
	char last_rcpt[200];
	int delay_ms; /* between reads */
} world = { .lock = PTHREAD_MUTEX_INITIALIZER };

static unsigned smtp_port;
static SSL_CTX *server_ctx;
static char ca_pem[8192];

struct peer {
	int fd;
	SSL *ssl;
	char in[65536];
	size_t off, len;
};

static bool
peer_fill(struct peer *p)
{
	ssize_t n;

	if (world.delay_ms > 0)
		usleep((useconds_t)world.delay_ms * 1000);
	p->off = 0;
	n = p->ssl != NULL ? SSL_read(p->ssl, p->in, sizeof(p->in))
			   : read(p->fd, p->in, sizeof(p->in));
	p->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool
peer_line(struct peer *p, char line[2048])
{
	size_t n = 0;

	for (;;) {
		if (p->off == p->len && !peer_fill(p))
			return false;
		if (n == 2046)
			return false;
		line[n++] = p->in[p->off++];
		if (n >= 2 && line[n - 2] == '\r' && line[n - 1] == '\n') {
			line[n - 2] = '\0';
			return true;
		}
	}
}

static void
peer_say(struct peer *p, const char *text)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "%s\r\n", text);

	if (p->ssl != NULL)
		SSL_write(p->ssl, line, n);
	else if (write(p->fd, line, (size_t)n) == -1)
		return;
}

static bool
peer_tls(struct peer *p)
{
	p->ssl = SSL_new(server_ctx);
	SSL_set_fd(p->ssl, p->fd);
	p->off = p->len = 0;
	if (SSL_accept(p->ssl) != 1)
		return false;
	pthread_mutex_lock(&world.lock);
	world.shaken++;
	world.resumed += SSL_session_reused(p->ssl);
	pthread_mutex_unlock(&world.lock);
	return true;
}

static bool
peer_data(struct peer *p)
{
	char line[2048];
	size_t bytes = 0;
	unsigned hash = 5381;

	for (;;) {
		char *s = line;

		if (!peer_line(p, line))
			return false;
		if (strcmp(line, ".") == 0)
			break;
		if (*s == '.')
			s++;
		bytes += strlen(s) + 2;
		for (; *s != '\0'; s++)
			hash = hash * 33 + (unsigned char)*s;
		hash = (hash * 33 + '\r') * 33 + '\n';
	}
	pthread_mutex_lock(&world.lock);
	world.bytes = bytes;
	world.hash = hash;
	world.mails++;
	world.secured += p->ssl != NULL;
	pthread_mutex_unlock(&world.lock);
	return true;
}

/* NULL: behave. */
static const char *
mischief(const char *line)
{
	const char *answer = NULL;

	pthread_mutex_lock(&world.lock);
	if (world.on != NULL &&
	    strncmp(line, world.on, strlen(world.on)) == 0) {
		answer = world.answer;
		if (world.once)
			world.on = NULL;
	}
	pthread_mutex_unlock(&world.lock);
	return answer;
}

static bool
peer_command(struct peer *p, const char *line)
{
	const char *bad = mischief(line);

	if (bad != NULL && strcmp(bad, "close") == 0)
		return false;
	if (bad != NULL && strcmp(bad, "hang") == 0) {
		struct pollfd pfd = { p->fd, POLLRDHUP, 0 };

		poll(&pfd, 1, 30000);
		return false;
	}
	if (bad != NULL) {
		peer_say(p, bad);
		return strncmp(bad, "421", 3) != 0;
	}
	if (strncmp(line, "EHLO", 4) == 0) {
		peer_say(p, "250-mx.test");
		if (world.starttls && p->ssl == NULL)
			peer_say(p, "250-STARTTLS");
		peer_say(p, "250-AUTH PLAIN");
		peer_say(p, "250 PIPELINING");
	} else if (strncmp(line, "STARTTLS", 8) == 0) {
		peer_say(p, "220 go");
		if (mischief("TLS") != NULL) {
			/* Behind the ClientHello, or it would be taken for an
			 * injection. */
			if (peer_fill(p))
				peer_say(p, "no TLS at all");
			return false;
		}
		return peer_tls(p);
	} else if (strncmp(line, "AUTH", 4) == 0) {
		snprintf(world.auth, sizeof(world.auth), "%.99s", line);
		peer_say(p, "235 2.7.0 in");
	} else if (strncmp(line, "DATA", 4) == 0) {
		peer_say(p, "354 go");
		if (!peer_data(p))
			return false;
		return peer_command(p, ".") && !world.one_mail;
	} else if (strncmp(line, "QUIT", 4) == 0) {
		peer_say(p, "221 bye");
		return false;
	} else {
		if (strncmp(line, "RCPT", 4) == 0)
			snprintf(world.last_rcpt, sizeof(world.last_rcpt),
			    "%.199s", line);
		peer_say(p, "250 2.0.0 ok");
	}
	return true;
}

static void *
peer_serve(void *arg)
{
	struct peer *p = arg;
	char line[2048];
	bool on = !world.implicit || peer_tls(p);

	if (on) {
		const char *bad = mischief("GREETING");

		peer_say(p, bad != NULL ? bad : "220 mx.test");
	}
	while (on && peer_line(p, line))
		on = peer_command(p, line);
	if (p->ssl != NULL) {
		SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
	}
	close(p->fd);
	free(p);
	return NULL;
}

static void *
smtp_serve(void *arg)
{
	int listener = *(int *)arg, fd, one = 1;

	while ((fd = accept(listener, NULL, NULL)) != -1) {
		struct peer *p = calloc(1, sizeof(*p));
		pthread_t t;

		p->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_mutex_lock(&world.lock);
		world.connections++;
		pthread_mutex_unlock(&world.lock);
		pthread_create(&t, NULL, peer_serve, p);
		pthread_detach(t);
	}
	return NULL;
}

static void
make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:smart.test");
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_add_ext(x, san, -1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server_ctx, x);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	PEM_write_bio_X509(bio, x);
	n = BIO_get_mem_data(bio, &pem);
	memcpy(ca_pem, pem, (size_t)n);
	BIO_free(bio);
	X509_EXTENSION_free(san);
	X509_free(x);
	EVP_PKEY_free(key);
}

#endif
