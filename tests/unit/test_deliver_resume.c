/*
 * TLS sessions that go on: for whom, how many, how long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "deliver/resume.h"
#include "deliver/trust.h"
#include "lib/loop.h"

static SSL_CTX *server, *client, *other;

static int
begin(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	(void)state;
	if (loop_base() == NULL)
		loop_init();
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	server = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server, x);
	SSL_CTX_use_PrivateKey(server, key);
	SSL_CTX_set_num_tickets(server, 1);
	X509_free(x);
	EVP_PKEY_free(key);
	client = SSL_CTX_new(TLS_client_method());
	other = SSL_CTX_new(TLS_client_method());
	resume_use(client);
	resume_use(other);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	resume_clear();
	SSL_CTX_free(client);
	SSL_CTX_free(other);
	SSL_CTX_free(server);
	return 0;
}

static struct resume_key
key_of(unsigned n)
{
	struct resume_key k = { { 0 } };

	memcpy(k.bytes, &n, sizeof(n));
	return k;
}

/* A whole connection; whether it went on with a session. */
static bool
connect_once(SSL_CTX *ctx, unsigned n, bool *offered)
{
	SSL *c = SSL_new(ctx), *s = SSL_new(server);
	struct resume_key key = key_of(n);
	BIO *a, *b;
	char byte;
	bool reused;

	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(c, a, a);
	SSL_set_bio(s, b, b);
	SSL_set_connect_state(c);
	SSL_set_accept_state(s);
	*offered = resume_offer(c, &key);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(c);
		SSL_do_handshake(s);
	}
	assert_true(SSL_is_init_finished(c) && SSL_is_init_finished(s));
	SSL_write(s, "x", 1);
	assert_int_equal(SSL_read(c, &byte, 1), 1);
	reused = SSL_session_reused(c);
	/* Or the library takes it for a connection that broke. */
	SSL_shutdown(c);
	SSL_free(c);
	SSL_free(s);
	return reused;
}

static void
one_key_one_context(void **state)
{
	bool offered;

	(void)state;
	resume_clear();
	assert_false(connect_once(client, 1, &offered));
	assert_false(offered);
	assert_int_equal(resume_count(), 1);
	assert_false(connect_once(client, 2, &offered));
	assert_false(offered);
	assert_false(connect_once(other, 1, &offered));
	assert_false(offered);
	for (int i = 0; i < 3; i++) {
		assert_true(connect_once(client, 1, &offered));
		assert_true(offered);
	}
	/* A ticket was spent for each that came. */
	assert_int_equal(resume_count(), 3);
	resume_clear();
	assert_false(connect_once(client, 1, &offered));
	assert_false(offered);
}

static void
memory_is_bounded(void **state)
{
	bool offered;

	(void)state;
	resume_clear();
	SSL_CTX_set_num_tickets(server, 3 * RESUME_EACH);
	connect_once(client, 1, &offered);
	assert_int_equal(resume_count(), RESUME_EACH);
	SSL_CTX_set_num_tickets(server, 1);
	for (unsigned i = 0; i < RESUME_MOST + 20; i++)
		connect_once(client, 100 + i, &offered);
	assert_int_equal(resume_count(), RESUME_MOST);
	/* The oldest went first. */
	connect_once(client, 1, &offered);
	assert_false(offered);
	connect_once(client, 100 + RESUME_MOST, &offered);
	assert_true(offered);
}

static void
what_broke_is_left_alone(void **state)
{
	struct resume_key key = key_of(7);
	SSL *c = SSL_new(client);
	bool offered;

	(void)state;
	resume_clear();
	connect_once(client, 7, &offered);
	resume_offer(c, &key);
	resume_failed(c);
	SSL_free(c);
	for (int i = 0; i < 3; i++) {
		assert_false(connect_once(client, 7, &offered));
		assert_false(offered);
	}
	assert_int_equal(resume_count(), 1);
}

static uint8_t digest[2][32] = { { 1 }, { 2 } };

static bool
same(const struct resume_key *a, const struct target *t, const struct policy *p,
    const char *domain, const char *self)
{
	struct resume_key b = trust_key(t, p, domain, self);

	return memcmp(a, &b, sizeof(b)) == 0;
}

/* Whatever decided what was looked at makes another key. */
static void
keys_tell_apart(void **state)
{
	struct dane d = { .base = "mx.example.net",
		.n = 2,
		.records = { { 3, 1, 1, digest[0], 32 },
		    { 2, 0, 1, digest[1], 32 } } },
		    e = d;
	struct target t = { .host = "mx.example.net",
		.by_mx = true,
		.tlsa = &d },
		      u;
	struct policy name = { .by = BY_STS,
		.proof = PROOF_NAME,
		.tls = ROUTE_TLS_VERIFIED },
		      none = { .by = BY_OPPORTUNITY }, tlsa = name, p;
	struct resume_key k;

	(void)state;
	net_parse(&t.address, "192.0.2.1:25", 12, 25);
	tlsa.by = BY_DANE;
	tlsa.proof = PROOF_TLSA;
	k = trust_key(&t, &none, "a", "");
	assert_true(same(&k, &t, &none, "b", ""));
	assert_false(same(&k, &t, &none, "a", "other"));
	assert_false(same(&k, &t, &name, "a", ""));
	p = none;
	p.watch = true;
	assert_false(same(&k, &t, &p, "a", ""));
	k = trust_key(&t, &name, "a", "");
	p = name;
	p.by = BY_ROUTE;
	assert_false(same(&k, &t, &p, "a", ""));
	u = t;
	strcpy(u.host, "mx.example.com");
	assert_false(same(&k, &u, &name, "a", ""));
	u = t;
	net_parse(&u.address, "192.0.2.1:26", 12, 25);
	assert_false(same(&k, &u, &name, "a", ""));
	net_parse(&u.address, "192.0.2.2:25", 12, 25);
	assert_false(same(&k, &u, &name, "a", ""));
	k = trust_key(&t, &tlsa, "a", "");
	assert_false(same(&k, &t, &name, "a", ""));
	assert_false(same(&k, &t, &tlsa, "b", ""));
	/* The same records in another order are the same. */
	u = t;
	u.tlsa = &e;
	e.records[0] = d.records[1];
	e.records[1] = d.records[0];
	assert_true(same(&k, &u, &tlsa, "a", ""));
	e.n = 1;
	assert_false(same(&k, &u, &tlsa, "a", ""));
	e = d;
	e.records[0].data = digest[1];
	assert_false(same(&k, &u, &tlsa, "a", ""));
	e = d;
	e.records[1].usage = 3;
	assert_false(same(&k, &u, &tlsa, "a", ""));
	e = d;
	strcpy(e.base, "mx.example.com");
	assert_false(same(&k, &u, &tlsa, "a", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_key_one_context),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(what_broke_is_left_alone),
		cmocka_unit_test(keys_tell_apart),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
