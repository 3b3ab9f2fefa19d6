/*
 * handshake.c - what the server's half of a TLS 1.3 handshake costs here, now.
 *
 * Both ends in one thread over memory, with what postern uses: P-256 key,
 * X25519, AES-128, a ticket.  No socket, no other process: what is left is the
 * TLS library, and the speed of this machine at this moment.
 *
 * Prints the median of microseconds of CPU for one.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum { ROUNDS = 1000, WARM = 50, ROOM = 32768 };

static double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static SSL_CTX *
make_server(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert(ctx != NULL && key != NULL && x != NULL);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"mail.example.org", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(x, key, EVP_sha256());
	if (SSL_CTX_use_certificate(ctx, x) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1)
		abort();
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	EVP_PKEY_free(key);
	X509_free(x);
	return ctx;
}

static double
shake_hands(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
	SSL *server, *client = SSL_new(client_ctx);
	BIO *near, *far;
	int done = 0, heard = 0;
	double used = 0, at = cpu_us();

	server = SSL_new(server_ctx);
	used += cpu_us() - at;
	assert(server != NULL && client != NULL);
	if (BIO_new_bio_pair(&near, ROOM, &far, ROOM) != 1)
		abort();
	SSL_set_bio(server, near, near);
	SSL_set_bio(client, far, far);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int turn = 0; turn < 10 && (done != 1 || heard != 1); turn++) {
		if (heard != 1)
			heard = SSL_do_handshake(client);
		at = cpu_us();
		if (done != 1)
			done = SSL_do_handshake(server);
		used += cpu_us() - at;
	}
	assert(done == 1 && heard == 1);
	at = cpu_us();
	SSL_free(server);
	used += cpu_us() - at;
	SSL_free(client);
	return used;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(void)
{
	static double used[ROUNDS];
	SSL_CTX *server = make_server(), *client;

	client = SSL_CTX_new(TLS_client_method());
	assert(client != NULL);
	for (int i = 0; i < WARM; i++)
		shake_hands(server, client);
	for (int i = 0; i < ROUNDS; i++)
		used[i] = shake_hands(server, client);
	qsort(used, ROUNDS, sizeof(used[0]), compare);
	printf("%.1f\n", used[ROUNDS / 2]);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return 0;
}
