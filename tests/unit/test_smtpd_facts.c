/*
 * The certificate of a client: whose key it is counts, and what it is signed
 * by costs nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/tls.h"
#include "smtpd/facts.h"

#define CHAIN 3 /* certificates, each signed by the next */

static EVP_PKEY *server_key, *client_key, *signing_key;
static X509 *server_cert, *chain[CHAIN];
static unsigned verified;

static X509 *
issue(EVP_PKEY *key, int number, int issuer)
{
	char subject[16], by[16];
	X509 *x = X509_new();
	X509_EXTENSION *ca = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

	snprintf(subject, sizeof(subject), "%d", number);
	snprintf(by, sizeof(by), "%d", issuer);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), number + 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)subject, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)by, -1, -1, 0);
	X509_add_ext(x, ca, -1);
	X509_EXTENSION_free(ca);
	assert_true(X509_sign(x, signing_key, EVP_sha256()) > 0);
	return x;
}

static int
set_up(void **state)
{
	(void)state;
	server_key = EVP_EC_gen("P-256");
	client_key = EVP_EC_gen("P-256");
	signing_key = EVP_EC_gen("P-384");
	server_cert = issue(server_key, 1000, 1000);
	for (int i = 0; i < CHAIN; i++)
		chain[i] = issue(i == 0 ? client_key : signing_key, i,
		    i + 1 < CHAIN ? i + 1 : i);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < CHAIN; i++)
		X509_free(chain[i]);
	X509_free(server_cert);
	EVP_PKEY_free(server_key);
	EVP_PKEY_free(client_key);
	EVP_PKEY_free(signing_key);
	return 0;
}

/* Where the library would verify a chain. */
static int
on_verify(X509_STORE_CTX *store)
{
	(void)store;
	verified++;
	return 1;
}

static void
test_signatures_of_others_are_not_looked_at(void **state)
{
	SSL_CTX *sctx = tls_server_new(), *cctx = tls_client_new();
	SSL *server, *client;
	BIO *far, *near;
	struct tls_facts f;
	char name[65];
	int r = 0;

	(void)state;
	assert_int_equal(SSL_CTX_use_certificate(sctx, server_cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(sctx, server_key), 1);
	X509_STORE_set_verify(SSL_CTX_get_cert_store(sctx), on_verify);
	facts_take_any(sctx);
	assert_int_equal(SSL_CTX_use_certificate(cctx, chain[0]), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(cctx, client_key), 1);
	for (int i = 1; i < CHAIN; i++)
		assert_int_equal(SSL_CTX_add1_chain_cert(cctx, chain[i]), 1);
	server = SSL_new(sctx);
	client = SSL_new(cctx);
	assert_int_equal(BIO_new_bio_pair(&near, 200000, &far, 200000), 1);
	SSL_set_bio(server, near, near);
	SSL_set_bio(client, far, far);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	facts_ask(server);
	for (int i = 0; i < 10 && r != 1; i++) {
		(void)SSL_do_handshake(client);
		r = SSL_do_handshake(server);
	}
	assert_int_equal(r, 1);
	facts_read(&f, server, false);
	assert_true(tls_key_name(client_key, name));
	assert_string_equal(f.certificate, name);
	assert_int_equal(verified, 0);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(sctx);
	SSL_CTX_free(cctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_signatures_of_others_are_not_looked_at, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests_name("smtpd_facts", tests, NULL, NULL);
}
