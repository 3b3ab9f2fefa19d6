/*
 * A client and a server in one loop: bytes both ways, in the clear and through
 * TLS 1.2 and 1.3, pauses, timeouts, ends, tickets.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "lib/io.h"
#include "lib/log.h"
#include "lib/tls.h"

#define LIMIT 65536

struct end {
	struct io io;
	bool open;
	int secured, eof, errors, timeouts, sent;
	size_t received;
	uint32_t sum;
	SSL_CTX *ctx; /* secure at once */
	bool server, deaf;
	size_t stop_at;
};

static struct end client, server;
static char cert[8192], key[4096];
static size_t cert_len, key_len;

static void
make_certificate(void)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pkey);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(x, pkey, EVP_sha256());
	PEM_write_bio_X509(bio, x);
	cert_len = (size_t)BIO_read(bio, cert, sizeof(cert));
	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	key_len = (size_t)BIO_read(bio, key, sizeof(key));
	BIO_free(bio);
	X509_free(x);
	EVP_PKEY_free(pkey);
}

/* Its own, as nobody in the server has: there auth signs. */
static void
use_key(SSL_CTX *ctx)
{
	BIO *bio = BIO_new_mem_buf(key, (int)key_len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pkey), 1);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
}

static SSL_CTX *
server_ctx(void)
{
	SSL_CTX *ctx = tls_server_new();
	char err[160];

	assert_true(tls_use_chain(ctx, cert, cert_len, NULL, err, sizeof(err)));
	use_key(ctx);
	return ctx;
}

static void
on_event(struct io *io, enum io_event ev)
{
	struct end *e = io->arg;

	switch (ev) {
	case IO_HELD:
		break;
	case IO_SECURED:
		e->secured++;
		if (client.secured && server.secured && client.stop_at == 0 &&
		    server.stop_at == 0)
			loop_stop();
		break;
	case IO_INPUT:
		if (e->deaf)
			break;
		for (size_t i = 0; i < io->in.len; i++)
			e->sum =
			    e->sum * 31 + (unsigned char)buf_data(&io->in)[i];
		e->received += io->in.len;
		buf_consume(&io->in, io->in.len);
		if (e->stop_at > 0 && e->received >= e->stop_at)
			loop_stop();
		break;
	case IO_SENT:
		e->sent++;
		break;
	case IO_EOF:
		e->eof++;
		loop_stop();
		break;
	case IO_ERROR:
		e->errors++;
		loop_stop();
		break;
	case IO_TIMEOUT:
		e->timeouts++;
		loop_stop();
		break;
	case IO_CONNECTED:
		if (e->ctx != NULL)
			io_secure(io, e->ctx, false, "localhost");
		break;
	}
}

static void
on_late(void *arg)
{
	*(bool *)arg = true;
	loop_stop();
}

/* True when the loop stopped by itself. */
static bool
run(void)
{
	struct timer t;
	bool late = false;

	timer_init(&t, on_late, &late);
	timer_set(&t, 10000);
	loop_run();
	timer_clear(&t);
	return !late;
}

static void
join(SSL_CTX *sctx, SSL_CTX *cctx)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.ctx = cctx;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(l, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(l, 1), 0);
	getsockname(l, (struct sockaddr *)&sin, &len);
	assert_int_equal(io_connect(&client.io, (struct sockaddr *)&sin, len,
			     NULL, 0, LIMIT, on_event, &client),
	    0);
	fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd != -1);
	close(l);
	io_open(&server.io, fd, LIMIT, on_event, &server);
	if (sctx != NULL)
		io_secure(&server.io, sctx, true, NULL);
}

static void
part(void)
{
	io_close(&client.io);
	io_close(&server.io);
}

static void
exchange(SSL_CTX *sctx, SSL_CTX *cctx)
{
	static char data[3000000];
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (char)(i * 7 + i / 1000);
		sum = sum * 31 + (unsigned char)data[i];
	}
	join(sctx, cctx);
	server.stop_at = sizeof(data);
	if (cctx != NULL) {
		server.stop_at = 0;
		assert_true(run());
		assert_int_equal(client.secured + server.secured, 2);
	} else {
		server.stop_at = 0;
		buf_add(&server.io.out, "x", 1);
		io_flush(&server.io);
		client.stop_at = 1;
		assert_true(run());
		client.received = 0;
		client.sum = 0;
	}
	server.stop_at = sizeof(data);
	buf_add(&client.io.out, data, sizeof(data));
	io_flush(&client.io);
	assert_true(run());
	assert_int_equal(server.received, sizeof(data));
	assert_int_equal(server.sum, sum);
	assert_true(client.sent >= 1);
	client.stop_at = sizeof(data);
	buf_add(&server.io.out, data, sizeof(data));
	io_flush(&server.io);
	assert_true(run());
	assert_int_equal(client.sum, sum);
	/* Idle, nobody holds a buffer. */
	assert_null(client.io.in.base);
	assert_null(server.io.out.base);
	io_close(&client.io);
	assert_true(run());
	assert_int_equal(server.eof, 1);
	part();
}

static void
test_clear(void **state)
{
	(void)state;
	exchange(NULL, NULL);
}

static void
test_tls(void **state)
{
	SSL_CTX *s = server_ctx(), *c = tls_client_new();

	(void)state;
	exchange(s, c);
	SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
	exchange(s, c);
	SSL_CTX_free(s);
	SSL_CTX_free(c);
}

static void
test_old_versions_are_refused(void **state)
{
	SSL_CTX *s = server_ctx(), *c = tls_client_new();

	(void)state;
	SSL_CTX_set_security_level(c, 0);
	SSL_CTX_set_min_proto_version(c, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(c, TLS1_1_VERSION);
	join(s, c);
	assert_true(run());
	assert_int_equal(client.secured + server.secured, 0);
	assert_true(client.errors + server.errors > 0);
	part();
	SSL_CTX_free(s);
	SSL_CTX_free(c);
}

static void
test_pause_bounds_the_input(void **state)
{
	static char data[40000000];
	SSL_CTX *s = server_ctx(), *c = tls_client_new();

	(void)state;
	join(s, c);
	assert_true(run());
	server.deaf = true;
	buf_add(&client.io.out, data, sizeof(data));
	io_flush(&client.io);
	io_timeout(&client.io, 300);
	assert_true(run());
	assert_int_equal(client.timeouts, 1);
	assert_true(server.io.in.len <= LIMIT);
	assert_true(client.io.out.len > 0);
	/* Eat what was kept, hear again: everything arrives. */
	server.deaf = false;
	server.stop_at = sizeof(data);
	io_pause(&server.io, true);
	io_pause(&server.io, false);
	server.received += server.io.in.len;
	buf_consume(&server.io.in, server.io.in.len);
	io_flush(&server.io);
	assert_true(run());
	assert_int_equal(server.received, sizeof(data));
	part();
	SSL_CTX_free(s);
	SSL_CTX_free(c);
}

static void
test_refused_connection(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	memset(&client, 0, sizeof(client));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(l, (struct sockaddr *)&sin, sizeof(sin));
	getsockname(l, (struct sockaddr *)&sin, &len);
	close(l);
	if (io_connect(&client.io, (struct sockaddr *)&sin, len, NULL, 0, LIMIT,
		on_event, &client) == -1)
		return;
	assert_true(run());
	assert_int_equal(client.errors, 1);
	assert_string_equal(io_error(&client.io), "Connection refused");
	io_close(&client.io);
}

static SSL_SESSION *kept;

static int
keep(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

static bool
resumes(SSL_CTX *s, SSL_CTX *c)
{
	bool reused;

	join(s, NULL);
	client.ctx = NULL;
	while (client.io.connecting)
		event_base_loop(loop_base(), EVLOOP_ONCE);
	io_secure(&client.io, c, false, "localhost");
	if (kept != NULL)
		SSL_set_session(client.io.ssl, kept);
	assert_true(run());
	reused = SSL_session_reused(client.io.ssl);
	/* The ticket of TLS 1.3 comes with the first bytes. */
	client.stop_at = 1;
	buf_add(&server.io.out, "x", 1);
	io_flush(&server.io);
	assert_true(run());
	part();
	return reused;
}

static void
test_tickets_outlive_contexts_and_keys(void **state)
{
	unsigned char keys[2][TLS_TICKET_KEY];
	SSL_CTX *s = server_ctx(), *c = tls_client_new();

	(void)state;
	memset(keys, 'k', sizeof(keys));
	memset(keys[0], 'n', sizeof(keys[0]));
	tls_ticket_keys(keys[1], 1);
	tls_use_tickets(s);
	SSL_CTX_set_session_cache_mode(
	    c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c, keep);
	assert_false(resumes(s, c));
	assert_non_null(kept);
	assert_true(resumes(s, c));
	/* Another worker, or this one after a reload. */
	SSL_CTX_free(s);
	s = server_ctx();
	tls_use_tickets(s);
	assert_true(resumes(s, c));
	/* A new key in front: the old one still opens. */
	tls_ticket_keys(keys[0], 2);
	assert_true(resumes(s, c));
	/* Forgotten keys: a full handshake, no error. */
	memset(keys, 'z', sizeof(keys));
	tls_ticket_keys(keys[0], 2);
	assert_false(resumes(s, c));
	SSL_SESSION_free(kept);
	SSL_CTX_free(s);
	SSL_CTX_free(c);
}

/* Octets that have come to this end and were not read yet. */
static int
unread(const struct end *e)
{
	int n = -1;

	ioctl(e->io.fd, FIONREAD, &n);
	return n;
}

static void
test_what_leaves_together(void **state)
{
	SSL_CTX *s = server_ctx(), *c = tls_client_new();
	unsigned char keys[1][TLS_TICKET_KEY] = { { 1 } };
	int with_ticket, alone;

	(void)state;
	tls_ticket_keys(keys[0], 1);
	tls_use_tickets(s);
	join(s, c);
	assert_true(run());
	/* The ticket waits for the first words. */
	assert_int_equal(unread(&client), 0);
	buf_add(&server.io.out, "x", 1);
	io_flush(&server.io);
	with_ticket = unread(&client);
	client.stop_at = 1;
	assert_true(run());
	buf_add(&server.io.out, "x", 1);
	io_flush(&server.io);
	alone = unread(&client);
	assert_true(with_ticket > alone + 100);
	client.stop_at = 2;
	assert_true(run());
	/* close_notify goes with the last words, before the io is closed. */
	io_farewell(&server.io);
	buf_add(&server.io.out, "x", 1);
	io_flush(&server.io);
	assert_true(unread(&client) > alone);
	client.stop_at = 1000;
	assert_true(run());
	assert_int_equal(client.received, 3);
	assert_int_equal(client.eof, 1);
	part();
	SSL_CTX_free(s);
	SSL_CTX_free(c);
}

static void
change_keys(int times)
{
	SSL *ssl = client.io.ssl;

	/* What it says itself is no work for it. */
	SSL_set_info_callback(ssl, NULL);
	while (times-- > 0) {
		assert_int_equal(
		    SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(ssl), 1);
	}
	io_flush(&client.io);
}

static void
test_new_keys_again_and_again(void **state)
{
	SSL_CTX *s = server_ctx(), *c = tls_client_new();

	(void)state;
	join(s, c);
	assert_true(run());
	change_keys(20);
	server.stop_at = 1;
	buf_add(&client.io.out, "x", 1);
	io_flush(&client.io);
	assert_true(run());
	assert_int_equal(server.received, 1);
	server.stop_at = 2;
	change_keys(1000);
	buf_add(&client.io.out, "x", 1);
	io_flush(&client.io);
	assert_true(run());
	assert_int_equal(server.received, 1);
	assert_int_equal(server.errors, 1);
	assert_non_null(strstr(io_error(&server.io), "new keys"));
	part();
	SSL_CTX_free(s);
	SSL_CTX_free(c);
}

static void
test_what_is_no_chain(void **state)
{
	SSL_CTX *s = tls_server_new();
	char err[160] = "";

	(void)state;
	assert_false(tls_use_chain(s, "nonsense", 8, NULL, err, sizeof(err)));
	assert_true(*err != '\0');
	SSL_CTX_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_old_versions_are_refused),
		cmocka_unit_test(test_pause_bounds_the_input),
		cmocka_unit_test(test_refused_connection),
		cmocka_unit_test(test_tickets_outlive_contexts_and_keys),
		cmocka_unit_test(test_new_keys_again_and_again),
		cmocka_unit_test(test_what_is_no_chain),
		cmocka_unit_test(test_what_leaves_together),
	};

	log_open("test");
	loop_init();
	make_certificate();
	return cmocka_run_group_tests_name("lib_io", tests, NULL, NULL);
}
