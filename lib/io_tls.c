/*
 * io_tls.c - the TLS of an io: its handshake, what it reads and what it seals.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "lib/io_parts.h"
#include "lib/log.h"
#include "lib/tls.h"

#define SEAL_BYTES 65536 /* made into TLS records and sent in one go */
/* Steps of the library's state machine behind the handshake, three for each
 * message it hears there: some tickets, new keys each 2^24 records or so. */
#define LATE_STEPS_MOST 64

bool
io_tls_send(struct io *io)
{
	io->ticket = false;
	if (wire_send(&io->wire) || io->wire.stuck)
		return true;
	io_fail(io, strerror(errno));
	return false;
}

/* The end of it, after the alert that the library may have for the peer. */
static void
fail_tls(struct io *io, const char *otherwise)
{
	int error = errno;
	char why[160];

	if (otherwise != NULL) {
		io_fail(io, error ? strerror(error) : otherwise);
		return;
	}
	tls_error(why, sizeof(why));
	wire_send(&io->wire);
	io_fail(io, why);
}

/*
 * A peer that changes keys again and again gives nothing but work, and within
 * one SSL_read() the library would do it for as long as more comes: from here
 * on it hears nothing.
 */
static void
on_step(const SSL *ssl, int where, int ret)
{
	struct io *io = SSL_get_app_data(ssl);

	(void)ret;
	if ((where & SSL_CB_LOOP) == 0 || io->handshaking ||
	    ++io->late_steps <= LATE_STEPS_MOST)
		return;
	SSL_set_shutdown(
	    io->ssl, SSL_get_shutdown(io->ssl) | SSL_RECEIVED_SHUTDOWN);
}

/* 1 bytes moved, 0 would block, -1 failed (told), -2 end of file. */
static int
tls_result(struct io *io, int r)
{
	if (io->late_steps > LATE_STEPS_MOST) {
		io_fail(io, "TLS: new keys again and again");
		return -1;
	}
	switch (SSL_get_error(io->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		io->want_write = true;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return -2;
	case SSL_ERROR_SYSCALL:
		fail_tls(io, "connection closed");
		return -1;
	default:
		fail_tls(io, NULL);
		return -1;
	}
}

int
io_tls_read(struct io *io, char *p, size_t room, size_t *got)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_read(io->ssl, p, (int)room);
	if (r <= 0)
		return tls_result(io, r);
	*got = (size_t)r;
	return 1;
}

bool
io_tls_seal(struct io *io)
{
	size_t most = io->out.len < SEAL_BYTES ? io->out.len : SEAL_BYTES;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write(io->ssl, buf_data(&io->out), (int)most);
	if (r <= 0) {
		if (tls_result(io, r) == -2)
			io_fail(io, "connection closed");
		return false;
	}
	io->sealed = (size_t)r;
	if (io->farewell && io->sealed == io->out.len)
		SSL_shutdown(io->ssl);
	return true;
}

/*
 * The handshake is done.  Of TLS 1.3 a server has only a ticket left to send,
 * which nobody waits for: it goes with the first words behind it.
 */
static void
shaken(struct io *io)
{
	bool server = SSL_is_server(io->ssl);

	io->handshaking = false;
	io->ticket = server && SSL_version(io->ssl) == TLS1_3_VERSION;
	/* Clients send their passwords: the library keeps no copy. */
	io_wipe(io, server);
	if (!io_handle(io, IO_SECURED) || io->failed)
		return;
	if (io->out.len == 0 && !io->ticket && !io_tls_send(io))
		return;
	/* The first bytes may be inside TLS already. */
	io_pump(io);
}

void
io_tls_shake(struct io *io)
{
	int r;

	io->want_write = false;
	if (io->wire.stuck && (!io_tls_send(io) || io->wire.stuck))
		return;
	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(io->ssl);
	if (r == 1) {
		shaken(io);
		return;
	}
	switch (SSL_get_error(io->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		io_tls_send(io);
		break;
	case SSL_ERROR_WANT_WRITE:
		io->want_write = true;
		io_tls_send(io);
		break;
	case SSL_ERROR_WANT_X509_LOOKUP:
		io->held = true;
		io_handle(io, IO_HELD);
		break;
	case SSL_ERROR_SYSCALL:
		fail_tls(io, "closed in the handshake");
		break;
	default:
		fail_tls(io, NULL);
		break;
	}
}

void
io_secure(struct io *io, SSL_CTX *ctx, bool server, const char *sni)
{
	BIO *in = BIO_new_socket(io->fd, BIO_NOCLOSE);

	assert(io->in.len == 0 && io->ssl == NULL);
	io->ssl = SSL_new(ctx);
	if (io->ssl == NULL || in == NULL)
		fatal("TLS: no memory");
	SSL_set0_rbio(io->ssl, in);
	SSL_set_app_data(io->ssl, io);
	SSL_set_info_callback(io->ssl, on_step);
	io->wire.fd = io->fd;
	SSL_set0_wbio(io->ssl, wire_bio(&io->wire));
	if (server)
		SSL_set_accept_state(io->ssl);
	else
		SSL_set_connect_state(io->ssl);
	if (sni != NULL && *sni != '\0')
		SSL_set_tlsext_host_name(io->ssl, sni);
	io->handshaking = true;
	io->want_write = !server;
	/* The words before the handshake leave first, in the clear. */
	assert(io->out.len == 0);
	io_want(io);
}

void
io_wipe(struct io *io, bool wipe)
{
	if (io->ssl == NULL || io->wiping == wipe)
		return;
	io->wiping = wipe;
	if (wipe)
		SSL_set_options(io->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	else
		SSL_clear_options(io->ssl, SSL_OP_CLEANSE_PLAINTEXT);
}

void
io_tls_close(struct io *io)
{
	if (!io->failed && !io->handshaking) {
		ERR_clear_error();
		if (!(SSL_get_shutdown(io->ssl) & SSL_SENT_SHUTDOWN))
			SSL_shutdown(io->ssl);
		wire_send(&io->wire); /* best effort */
	}
	SSL_free(io->ssl);
	io->ssl = NULL;
	buf_release(&io->wire.out);
}

const char *
io_tls_version(const struct io *io)
{
	return io->ssl != NULL ? SSL_get_version(io->ssl) : "";
}

const char *
io_tls_cipher(const struct io *io)
{
	return io->ssl != NULL ? SSL_get_cipher_name(io->ssl) : "";
}
