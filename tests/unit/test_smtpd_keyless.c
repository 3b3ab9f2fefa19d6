/*
 * Handshakes of a server that has no private key, with one that does not say
 * no, one that does, one that lies, and one that is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "lib/log.h"
#include "smtpd/certificate.h"
#include "smtpd/keyless.h"
#include "test_smtpd.h"

static struct signer signer;
static struct pair rsa, p256, p384, ed25519, other;

static void
connect_line(void)
{
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	keyless_line(fds[0]);
	signer_start(&signer, fds[1]);
}

static int
set_up(void **state)
{
	static unsigned char tickets[TLS_TICKET_KEY] = "a ticket key";

	(void)state;
	log_open("test");
	pair_make(&rsa, "RSA", "rsa");
	pair_make(&p256, "P-256", "p256");
	pair_make(&p384, "P-384", "p384");
	pair_make(&ed25519, "ED25519", "ed25519");
	pair_make(&other, "P-256", "other");
	signer.keys[0] = &rsa;
	signer.keys[1] = &p256;
	signer.keys[2] = &p384;
	tls_ticket_keys(tickets, 1);
	connect_line();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	signer_stop(&signer);
	pair_free(&rsa);
	pair_free(&p256);
	pair_free(&p384);
	pair_free(&ed25519);
	pair_free(&other);
	return 0;
}

static SSL_CTX *
server(struct pair *p)
{
	SSL_CTX *ctx = tls_server_new();
	EVP_PKEY *pub = NULL;
	char err[160];

	assert_true(
	    tls_use_chain(ctx, p->pem, p->pem_len, &pub, err, sizeof(err)));
	assert_true(keyless_use(ctx, pub, err, sizeof(err)));
	EVP_PKEY_free(pub);
	tls_use_tickets(ctx);
	return ctx;
}

/* Shake hands over a pair of BIOs; the session of the client or NULL. */
static SSL_SESSION *
shake(SSL_CTX *ctx, int version, SSL_SESSION *resume, bool *ok)
{
	SSL_CTX *cctx = tls_client_new();
	SSL *s = SSL_new(ctx), *c = SSL_new(cctx);
	SSL_SESSION *session = NULL;
	BIO *one, *two;
	char byte;

	BIO_new_bio_pair(&one, 65536, &two, 65536);
	SSL_set_bio(s, one, one);
	SSL_set_bio(c, two, two);
	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	SSL_set_min_proto_version(c, version);
	SSL_set_max_proto_version(c, version);
	if (resume != NULL)
		SSL_set_session(c, resume);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(c);
		SSL_do_handshake(s);
	}
	*ok = SSL_is_init_finished(c) && SSL_is_init_finished(s);
	if (*ok) {
		assert_int_equal(SSL_version(c), version);
		SSL_write(s, "x", 1);
		assert_int_equal(SSL_read(c, &byte, 1), 1);
		assert_int_equal(SSL_session_reused(c), resume != NULL);
		session = SSL_get1_session(c);
	}
	/* A close in good order, so that the session stays usable. */
	SSL_shutdown(c);
	SSL_shutdown(s);
	SSL_free(c);
	SSL_free(s);
	SSL_CTX_free(cctx);
	return session;
}

static void
test_handshakes(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct pair *pairs[] = { &rsa, &p256, &p384 };
	bool ok;

	(void)state;
	for (int v = 0; v < 2; v++)
		for (int p = 0; p < 3; p++) {
			SSL_CTX *ctx = server(pairs[p]);
			SSL_SESSION *first, *again;
			int before = signer.asked;

			first = shake(ctx, versions[v], NULL, &ok);
			assert_true(ok);
			assert_int_equal(signer.asked, before + 1);
			/* A resumed one needs no signature. */
			again = shake(ctx, versions[v], first, &ok);
			assert_true(ok);
			assert_int_equal(signer.asked, before + 1);
			SSL_SESSION_free(first);
			SSL_SESSION_free(again);
			SSL_CTX_free(ctx);
		}
}

static void
test_resumes_elsewhere(void **state)
{
	SSL_CTX *one = server(&p256), *two = server(&p256);
	SSL_SESSION *first, *again;
	bool ok;

	(void)state;
	/* Another worker, or this one after a reload: another context. */
	first = shake(one, TLS1_3_VERSION, NULL, &ok);
	assert_true(ok);
	again = shake(two, TLS1_3_VERSION, first, &ok);
	assert_true(ok);
	SSL_SESSION_free(first);
	SSL_SESSION_free(again);
	SSL_CTX_free(one);
	SSL_CTX_free(two);
}

static void
test_try(void **state)
{
	SSL_CTX *ctx = server(&rsa), *ec = server(&p256),
		*unknown = server(&other);

	(void)state;
	assert_int_equal(keyless_try(ctx), KEYLESS_FITS);
	assert_int_equal(keyless_try(ec), KEYLESS_FITS);
	assert_int_equal(keyless_try(unknown), KEYLESS_REFUSED);
	signer.manner = LIE;
	assert_int_equal(keyless_try(ctx), KEYLESS_DIFFERS);
	signer.manner = REFUSE;
	assert_int_equal(keyless_try(ec), KEYLESS_REFUSED);
	signer.manner = SIGN;
	assert_int_equal(keyless_try(ec), KEYLESS_FITS);
	SSL_CTX_free(ctx);
	SSL_CTX_free(ec);
	SSL_CTX_free(unknown);
}

static void
test_other_keys(void **state)
{
	SSL_CTX *ctx = tls_server_new();
	EVP_PKEY *pub = NULL;
	char err[160] = "";

	(void)state;
	assert_true(tls_use_chain(
	    ctx, ed25519.pem, ed25519.pem_len, &pub, err, sizeof(err)));
	assert_false(keyless_use(ctx, pub, err, sizeof(err)));
	assert_string_not_equal(err, "");
	EVP_PKEY_free(pub);
	SSL_CTX_free(ctx);
}

static void
test_refused(void **state)
{
	SSL_CTX *ctx = server(&p256);
	bool ok;

	(void)state;
	signer.manner = REFUSE;
	assert_null(shake(ctx, TLS1_3_VERSION, NULL, &ok));
	assert_false(ok);
	signer.manner = SIGN;
	SSL_SESSION_free(shake(ctx, TLS1_3_VERSION, NULL, &ok));
	assert_true(ok);
	SSL_CTX_free(ctx);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
test_silent(void **state)
{
	SSL_CTX *ctx = server(&p256);
	double began = now();
	bool ok;

	(void)state;
	signer.manner = SILENCE;
	assert_int_equal(keyless_try(ctx), KEYLESS_SILENT);
	assert_true(now() - began > 4 && now() - began < 7);
	/* While an answer is owed, nobody waits again. */
	began = now();
	assert_int_equal(keyless_try(ctx), KEYLESS_SILENT);
	shake(ctx, TLS1_3_VERSION, NULL, &ok);
	assert_false(ok);
	assert_true(now() - began < 1);
	/* A new line owes nothing. */
	signer.manner = SIGN;
	signer_stop(&signer);
	connect_line();
	assert_int_equal(keyless_try(ctx), KEYLESS_FITS);
	SSL_CTX_free(ctx);
}

/* The answer to the last question comes too late, and is not taken for that
 * to the next. */
static void
test_late(void **state)
{
	SSL_CTX *ctx = server(&p256);
	uint8_t *record = malloc(MSG_MAX);
	struct msg m, r = { .type = MSG_TLS_SIGNED };
	int fds[2];

	(void)state;
	signer_stop(&signer);
	assert_int_equal(message_pair(fds), 0);
	keyless_line(fds[0]);
	assert_int_equal(keyless_try(ctx), KEYLESS_SILENT);
	assert_true(message_recv(fds[1], P_SMTPD, P_AUTH, &m, record, NULL));
	assert_int_equal(m.type, MSG_TLS_SIGN);
	assert_string_equal(m.u.tls_sign.key, p256.name);
	r.tag = m.tag;
	r.u.tls_signed.signature = (struct bytes){ (const uint8_t *)"x", 1 };
	assert_true(message_send(fds[1], &r, -1));
	signer_start(&signer, fds[1]);
	assert_int_equal(keyless_try(ctx), KEYLESS_FITS);
	free(record);
	SSL_CTX_free(ctx);
}

static void
test_gone(void **state)
{
	SSL_CTX *ctx = server(&p256);
	double began = now();

	(void)state;
	signer_stop(&signer);
	assert_int_equal(keyless_try(ctx), KEYLESS_SILENT);
	assert_int_equal(keyless_try(ctx), KEYLESS_SILENT);
	assert_true(now() - began < 1);
	connect_line();
	assert_int_equal(keyless_try(ctx), KEYLESS_FITS);
	SSL_CTX_free(ctx);
}

static bool
never(void)
{
	return false;
}

static void
bring(const char *section, const struct pair *p)
{
	int fd = memfd_create("chain", MFD_CLOEXEC);

	assert_int_equal(write(fd, p->pem, p->pem_len), p->pem_len);
	certificate_take(section, fd);
}

/* A client that asks for this name gets a handshake, with this key. */
static bool
served(const char *name, const struct pair *p)
{
	SSL_CTX *cctx = tls_client_new();
	SSL *s = SSL_new(certificate_context(false)), *c = SSL_new(cctx);
	BIO *one, *two;
	X509 *got;
	bool right;

	BIO_new_bio_pair(&one, 65536, &two, 65536);
	SSL_set_bio(s, one, one);
	SSL_set_bio(c, two, two);
	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	SSL_set_tlsext_host_name(c, name);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(c);
		SSL_do_handshake(s);
	}
	assert_true(SSL_is_init_finished(c) && SSL_is_init_finished(s));
	got = SSL_get0_peer_certificate(c);
	right = EVP_PKEY_eq(X509_get0_pubkey(got), p->key) == 1;
	SSL_free(c);
	SSL_free(s);
	SSL_CTX_free(cctx);
	return right;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
run_for(int64_t ms)
{
	static struct timer timer;

	timer_init(&timer, stop, NULL);
	timer_set(&timer, ms);
	loop_run();
}

/* A reload reaches us before auth: what is new there is not shown to anybody
 * before auth can sign for it. */
static void
test_new_section(void **state)
{
	static struct conf conf = { .ntls = 1 };

	(void)state;
	loop_init();
	signer.keys[0] = &p256;
	signer.keys[1] = signer.keys[2] = NULL;
	bring("", &p256);
	certificate_adopt(&conf, never);
	assert_true(served("p256", &p256));
	conf.ntls = 2;
	strcpy(conf.tls[1].name, "rsa");
	bring("", &p256);
	bring("rsa", &rsa);
	certificate_adopt(&conf, never);
	assert_true(served("rsa", &p256));
	run_for(60);
	assert_true(served("rsa", &p256));
	/* Now auth has it. */
	signer.keys[1] = &rsa;
	for (int i = 0; i < 200 && !served("rsa", &rsa); i++)
		run_for(20);
	assert_true(served("rsa", &rsa));
	assert_true(served("p256", &p256));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_resumes_elsewhere),
		cmocka_unit_test(test_try),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_new_section),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
