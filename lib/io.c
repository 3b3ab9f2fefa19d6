/*
 * io.c - see io.h.
 *
 * One descriptor, one watch.  want() is the only place that decides what the
 * loop waits for; handle() is the only place where the owner's code runs, so
 * closing inside a handler is noticed there and nowhere else.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/log.h"
#include "lib/tls.h"

#define READ_BYTES 16384 /* a TLS record's worth */
#define READ_TURNS 4     /* reads in one turn, then let others go */
#define SEAL_BYTES 65536 /* made into TLS records and sent in one go */

static void pump_in(struct io *);

/* Run the owner's code; false when io was closed meanwhile. */
static bool
handle(struct io *io, enum io_event ev)
{
	io->on_event(io, ev);
	return !io->closed;
}

static void
fail(struct io *io, const char *why)
{
	if (io->failed)
		return;
	io->failed = true;
	snprintf(io->error, sizeof(io->error), "%s", why);
	watch_set(&io->watch, 0);
	timer_clear(&io->timer);
	timer_clear(&io->again);
	handle(io, IO_ERROR);
}

static void
want(struct io *io)
{
	short events = 0;

	if (io->failed || io->closed)
		return;
	if (io->connecting)
		events = LOOP_WRITE;
	else if (io->held)
		events = 0; /* the end of the client is found out later */
	else if (io->handshaking)
		events =
		    io->want_write || io->wire.stuck ? LOOP_WRITE : LOOP_READ;
	else {
		if (!io->paused && !io->eof && io->in.len < io->in_limit) {
			events |= LOOP_READ;
			/* The loop cannot see what is inside TLS. */
			if (io->ssl != NULL && !io->dry &&
			    SSL_has_pending(io->ssl))
				timer_set(&io->again, 0);
		}
		if (io->out.len > 0 || io->want_write || io->wire.stuck)
			events |= LOOP_WRITE;
	}
	watch_set(&io->watch, events);
}

/* Send what TLS has said; false when io failed.  It may be stuck. */
static bool
send_wire(struct io *io)
{
	io->ticket = false;
	if (wire_send(&io->wire) || io->wire.stuck)
		return true;
	fail(io, strerror(errno));
	return false;
}

/* The end of it, after the alert that the library may have for the peer. */
static void
fail_tls(struct io *io, const char *otherwise)
{
	int error = errno;
	char why[160];

	if (otherwise != NULL) {
		fail(io, error ? strerror(error) : otherwise);
		return;
	}
	tls_error(why, sizeof(why));
	wire_send(&io->wire);
	fail(io, why);
}

/* 1 bytes moved, 0 would block, -1 failed (told), -2 end of file. */
static int
tls_result(struct io *io, int r)
{
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

static int
read_bytes(struct io *io, char *p, size_t room, size_t *got)
{
	ssize_t n;
	int r;

	*got = 0;
	if (io->ssl != NULL) {
		ERR_clear_error();
		errno = 0;
		r = SSL_read(io->ssl, p, (int)room);
		if (r <= 0)
			return tls_result(io, r);
		*got = (size_t)r;
		return 1;
	}
	do
		n = recv(io->fd, p, room, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1) {
		fail(io, strerror(errno));
		return -1;
	}
	if (n == 0)
		return -2;
	*got = (size_t)n;
	return 1;
}

/* Have the front of out made into records; false when that must wait or io
 * failed. */
static bool
seal(struct io *io)
{
	size_t most = io->out.len < SEAL_BYTES ? io->out.len : SEAL_BYTES;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write(io->ssl, buf_data(&io->out), (int)most);
	if (r <= 0) {
		if (tls_result(io, r) == -2)
			fail(io, "connection closed");
		return false;
	}
	io->sealed = (size_t)r;
	if (io->farewell && io->sealed == io->out.len)
		SSL_shutdown(io->ssl);
	return true;
}

/* The same for the clear: hand the front of out to the socket. */
static bool
send_clear(struct io *io)
{
	ssize_t n;

	do
		n = send(io->fd, buf_data(&io->out), io->out.len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		if (errno != EAGAIN)
			fail(io, strerror(errno));
		return false;
	}
	buf_consume(&io->out, (size_t)n);
	return true;
}

/* Write what waits; false when io failed.  What TLS has sealed stays in out
 * until it has left, so that an empty out means that all is sent. */
static bool
push(struct io *io)
{
	io->want_write = false;
	while (io->out.len > 0) {
		if (io->ssl == NULL) {
			if (!send_clear(io))
				return !io->failed;
			continue;
		}
		if (io->sealed == 0 && !seal(io))
			return !io->failed && send_wire(io);
		if (!send_wire(io))
			return false;
		if (io->wire.stuck)
			return true;
		buf_consume(&io->out, io->sealed);
		io->sealed = 0;
	}
	buf_release(&io->out);
	return !io->wire.stuck || send_wire(io);
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
	if (!handle(io, IO_SECURED) || io->failed)
		return;
	if (io->out.len == 0 && !io->ticket && !send_wire(io))
		return;
	/* The first bytes may be inside TLS already. */
	pump_in(io);
}

static void
shake(struct io *io)
{
	int r;

	io->want_write = false;
	if (io->wire.stuck && (!send_wire(io) || io->wire.stuck))
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
		send_wire(io);
		break;
	case SSL_ERROR_WANT_WRITE:
		io->want_write = true;
		send_wire(io);
		break;
	case SSL_ERROR_WANT_X509_LOOKUP:
		io->held = true;
		handle(io, IO_HELD);
		break;
	case SSL_ERROR_SYSCALL:
		fail_tls(io, "closed in the handshake");
		break;
	default:
		fail_tls(io, NULL);
		break;
	}
}

/* How much to read: a record, or what fits behind those before it. */
static size_t
room_for(const struct io *io)
{
	const struct buf *in = &io->in;
	size_t room = io->in_limit - in->len,
	       left = in->cap - in->off - in->len;

	if (left >= READ_BYTES / 4 && room > left)
		room = left;
	return room < READ_BYTES ? room : READ_BYTES;
}

/*
 * Read until the socket is dry, the owner pauses, or it is others' turn.  With
 * TLS, bytes may be left inside the library where the loop cannot see them:
 * then `again` comes back.
 */
static void
pump_in(struct io *io)
{
	bool input = false;
	size_t got, room;
	int r;

	for (int turn = 0; turn < READ_TURNS; turn++) {
		if (io->paused || io->eof || io->failed || io->handshaking)
			break;
		if (io->in.len >= io->in_limit)
			break;
		room = room_for(io);
		r = read_bytes(io, buf_reserve(&io->in, room), room, &got);
		if (r == -1)
			return;
		io->dry = r == 0;
		if (r == 0)
			break;
		if (r == -2) {
			io->eof = true;
			break;
		}
		buf_commit(&io->in, got);
		input = true;
		if (io->ssl == NULL && got < room)
			break; /* dry */
		if (io->ssl != NULL && !SSL_pending(io->ssl) &&
		    !SSL_has_pending(io->ssl))
			break;
	}
	if (io->in.len == 0)
		buf_release(&io->in);
	if (input && !handle(io, IO_INPUT))
		return;
	if (io->failed)
		return;
	if (io->in.len == 0)
		buf_release(&io->in);
	if (io->eof && input)
		input = false;
	if (io->eof) {
		watch_set(&io->watch, 0);
		handle(io, IO_EOF);
	}
}

static void
on_again(void *arg)
{
	struct io *io = arg;

	if (io->failed || io->closed || io->paused)
		return;
	io->in_handler = true;
	pump_in(io);
	if (io->closed)
		return;
	io->in_handler = false;
	io_flush(io);
}

static void
connected(struct io *io)
{
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	io->connecting = false;
	if (error != 0)
		fail(io, strerror(error));
	else
		handle(io, IO_CONNECTED);
}

static void
on_ready(void *arg, short events)
{
	struct io *io = arg;
	bool sent;

	io->in_handler = true;
	if (io->connecting) {
		connected(io);
	} else if (io->handshaking) {
		shake(io);
	} else {
		sent = (events & LOOP_WRITE) && io->out.len > 0;
		if ((events & LOOP_WRITE) && !push(io))
			return;
		if (sent && io->out.len == 0 && !handle(io, IO_SENT))
			return;
		if ((events & LOOP_READ) && !io->failed)
			pump_in(io);
	}
	if (io->closed)
		return;
	io->in_handler = false;
	io_flush(io);
}

void
io_go_on(struct io *io)
{
	if (!io->held || io->failed || io->closed)
		return;
	io->held = false;
	io->in_handler = true;
	shake(io);
	if (io->closed)
		return;
	io->in_handler = false;
	io_flush(io);
}

static void
on_timeout(void *arg)
{
	struct io *io = arg;

	if (!handle(io, IO_TIMEOUT))
		return;
	io_flush(io);
}

static void
set_up(struct io *io, int fd, size_t in_limit, io_event_fn *cb, void *arg)
{
	int one = 1;

	memset(io, 0, sizeof(*io));
	io->fd = fd;
	io->in_limit = in_limit;
	io->on_event = cb;
	io->arg = arg;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch_init(&io->watch, fd, on_ready, io);
	timer_init(&io->timer, on_timeout, io);
	timer_init(&io->again, on_again, io);
}

void
io_open(struct io *io, int fd, size_t in_limit, io_event_fn *cb, void *arg)
{
	set_up(io, fd, in_limit, cb, arg);
	want(io);
}

int
io_connect(struct io *io, const struct sockaddr *to, socklen_t to_len,
    const struct sockaddr *from, socklen_t from_len, size_t in_limit,
    io_event_fn *cb, void *arg)
{
	int fd, saved, late = 1;

	fd = socket(
	    to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* The port is chosen with the destination known, so that one address
	 * can have more connections than there are ports. */
	if (from != NULL)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late,
		    sizeof(late));
	if ((from != NULL && bind(fd, from, from_len) == -1) ||
	    (connect(fd, to, to_len) == -1 && errno != EINPROGRESS)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	set_up(io, fd, in_limit, cb, arg);
	io->connecting = true;
	want(io);
	return 0;
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
	want(io);
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
io_flush(struct io *io)
{
	if (io->closed || io->failed || io->connecting || io->in_handler)
		return;
	if (!io->handshaking && io->out.len > 0) {
		if (!push(io))
			return;
		if (io->out.len == 0) {
			io->in_handler = true;
			if (!handle(io, IO_SENT))
				return;
			io->in_handler = false;
			if (io->failed)
				return;
		}
	}
	/* What the library said by itself, an alert or new keys. */
	if (!io->handshaking && io->wire.out.len > 0 && !io->wire.stuck &&
	    !io->ticket && !send_wire(io))
		return;
	want(io);
}

void
io_farewell(struct io *io)
{
	io->farewell = true;
}

void
io_pause(struct io *io, bool paused)
{
	if (io->paused == paused || io->failed || io->closed)
		return;
	io->paused = paused;
	if (!io->in_handler)
		want(io);
}

void
io_timeout(struct io *io, int64_t in_ms)
{
	if (io->failed || io->closed)
		return;
	if (in_ms > 0)
		timer_set(&io->timer, in_ms);
	else
		timer_clear(&io->timer);
}

void
io_close(struct io *io)
{
	if (io->closed)
		return;
	io->closed = true;
	watch_set(&io->watch, 0);
	timer_clear(&io->timer);
	timer_clear(&io->again);
	if (io->ssl != NULL) {
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
	close(io->fd);
	io->fd = -1;
	buf_release(&io->in);
	buf_release(&io->out);
}

const char *
io_error(const struct io *io)
{
	return io->error;
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
