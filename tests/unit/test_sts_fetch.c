/*
 * Fetches by the hundred: servers that do not answer keep those of other
 * domains waiting, and make none of them fail.
 */
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/loop.h"
#include "sts/fetch.h"

#define MORE    20 /* than are under way at once */
#define POLL_MS 5
#define TURNS   6000
#define ROUND   300 /* fetches, all of other domains */

/* Of nobody; without any root there is no fetch. */
static const char root[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUO51rbUG/IWMiAXFew5W7YdWqJcAwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIxNjQxNDJaGA8yMTI2MTAyOTE2NDE0\n"
    "MlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHRr\n"
    "7GoCcG2HDFb0g6/Ms1rnNHTtf1ad4QN3xCijFjnzn/JfibDoCIUKsT92hNyUUYSW\n"
    "8zO4iigUK1DEzxyCfK6jUzBRMB0GA1UdDgQWBBTDuuFoQ+J6myX2yvQGGlF10q0y\n"
    "RTAfBgNVHSMEGDAWgBTDuuFoQ+J6myX2yvQGGlF10q0yRTAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDSzPhLKkwQN+pKOgri9sYaqJ4JvnXwIsUU\n"
    "uuiy3hvbXAIgSHfIdy/+5uErWZam3sqLf9JhXSZaiqxlswCXXQjmgfE=\n"
    "-----END CERTIFICATE-----\n";

static int listener, held[FETCH_MANY + MORE];
static unsigned nheld, done, closed, turns;
static struct timer timer;

static void
on_done(void *asker, const struct msg *m)
{
	(void)asker;
	assert_int_equal(m->type, MSG_FETCHED);
	done++;
}

/* Take whoever comes, and say nothing to him. */
static void
take_all(void)
{
	int fd;

	while (nheld < FETCH_MANY + MORE &&
	    (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1)
		held[nheld++] = fd;
}

static void
on_timer(void *arg)
{
	(void)arg;
	take_all();
	/* All that may be are here; then one hangs up for each that waits. */
	if (nheld >= FETCH_MANY && nheld == FETCH_MANY + closed) {
		assert_int_equal(done, closed);
		if (closed == MORE) {
			loop_stop();
			return;
		}
		close(held[closed]);
		held[closed++] = -1;
	}
	assert_true(++turns < TURNS);
	timer_set(&timer, POLL_MS);
}

static unsigned
listen_somewhere(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(listener, 1024), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

static void
on_finish_timer(void *arg)
{
	const unsigned *all = arg;

	assert_true(++turns < TURNS);
	if (done < *all)
		timer_set(&timer, POLL_MS);
	else
		loop_stop();
}

/* Let them be refused: nobody listens at port 1. */
static void
finish_all(unsigned all)
{
	turns = 0;
	timer_init(&timer, on_finish_timer, &all);
	timer_set(&timer, POLL_MS);
	loop_run();
	assert_int_equal(done, all);
}

static void
who_comes_late_waits(void **state)
{
	struct msg_fetch f = { .port = listen_somewhere() };

	(void)state;
	loop_init();
	fetch_init();
	fetch_trust(strdup(root), sizeof(root) - 1);
	strcpy(f.addresses, "127.0.0.1");
	for (unsigned i = 0; i < FETCH_MANY + MORE; i++) {
		snprintf(f.host, sizeof(f.host), "mta-sts.d%u.example", i);
		snprintf(f.url, sizeof(f.url), "https://%s:%u/", f.host,
		    (unsigned)f.port);
		fetch(&f, i, 0, on_done);
	}
	assert_int_equal(done, 0);
	timer_init(&timer, on_timer, NULL);
	timer_set(&timer, POLL_MS);
	loop_run();
	assert_int_equal(done, MORE);
	for (unsigned i = MORE; i < nheld; i++)
		close(held[i]);
	close(listener);
}

/* A deliver that died left as many as may be; the new one's find room. */
static void
nobody_waits_for_the_dead(void **state)
{
	struct msg_fetch f = { .port = 1, .addresses = "127.0.0.1" };
	uint64_t n = 0;

	(void)state;
	strcpy(f.host, "mta-sts.example");
	strcpy(f.url, "https://mta-sts.example:1/");
	done = 0;
	while (done == 0 && n < 10000)
		fetch(&f, n++, 1, on_done);
	assert_true(n > FETCH_MANY);
	fetch_forget(2);
	fetch(&f, 0, 3, on_done);
	assert_int_equal(done, 2);
	fetch_forget(1);
	assert_int_equal(done, 2);
	for (unsigned i = 0; i < MORE; i++)
		fetch(&f, i, 3, on_done);
	assert_int_equal(done, 2);
	finish_all(FETCH_MANY + MORE + 2);
}

/* Nothing stays of one that is over.  A build for a sanitizer counts none. */
static void
memory(void **state)
{
	struct msg_fetch f = { .port = 1, .addresses = "127.0.0.1" };
	size_t before = 0;

	(void)state;
	for (unsigned round = 0; round < 11; round++) {
		done = 0;
		for (unsigned i = 0; i < ROUND; i++) {
			snprintf(f.host, sizeof(f.host),
			    "mta-sts.r%u-d%u.example", round, i);
			snprintf(f.url, sizeof(f.url), "https://%s:1/", f.host);
			fetch(&f, i, 0, on_done);
		}
		finish_all(ROUND);
		if (round == 0)
			before = mallinfo2().uordblks;
	}
	assert_in_range(mallinfo2().uordblks, 0, before + 10 * ROUND * 50);
}

/* --- A server that speaks TLS. --- */

static EVP_PKEY *key;
static X509 *cert;

static char *
make_root(void)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509_EXTENSION *name = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:mta-sts.example");
	char *pem = calloc(1, 4096);

	key = EVP_EC_gen("P-256");
	cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_add_ext(cert, name, -1);
	X509_EXTENSION_free(name);
	X509_sign(cert, key, EVP_sha256());
	PEM_write_bio_X509(bio, cert);
	assert_true(BIO_read(bio, pem, 4095) > 0);
	BIO_free(bio);
	return pem;
}

/* Take one client, change keys so often, and say "ok". */
static void *
serve(void *arg)
{
	static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				   "Content-Type: text/plain\r\n\r\nok";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl = SSL_new(ctx);
	int fd = accept(listener, NULL, NULL);
	char request[4096];

	SSL_use_certificate(ssl, cert);
	SSL_use_PrivateKey(ssl, key);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, 4096) > 0) {
		for (int n = *(int *)arg; n > 0; n--)
			if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) !=
				1 ||
			    SSL_do_handshake(ssl) != 1)
				break;
		(void)SSL_write(ssl, page, sizeof(page) - 1);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return NULL;
}

static uint32_t verdict;

static void
on_page(void *asker, const struct msg *m)
{
	verdict = m->u.fetched.verdict;
	on_done(asker, m);
}

/* What becomes of a fetch there. */
static uint32_t
fetch_with_changes(int changes)
{
	struct msg_fetch f = { .port = listen_somewhere(),
		.addresses = "127.0.0.1",
		.host = "mta-sts.example" };
	pthread_t thread;

	fcntl(listener, F_SETFL, 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, &changes), 0);
	snprintf(
	    f.url, sizeof(f.url), "https://%s:%u/", f.host, (unsigned)f.port);
	done = 0;
	fetch(&f, 1, 0, on_page);
	finish_all(1);
	pthread_join(thread, NULL);
	close(listener);
	return verdict;
}

static void
new_keys_end(void **state)
{
	char *pem;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	pem = make_root();
	fetch_trust(pem, strlen(pem));
	assert_int_equal(fetch_with_changes(10), V_OK);
	assert_int_not_equal(fetch_with_changes(1000), V_OK);
	X509_free(cert);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_late_waits),
		cmocka_unit_test(nobody_waits_for_the_dead),
		cmocka_unit_test(memory),
		cmocka_unit_test(new_keys_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
