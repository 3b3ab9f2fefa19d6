/*
 * io.c - see io.h.
 *
 * One descriptor, one watch.  io_want() is the only place that decides what the
 * loop waits for; io_handle() is the only place where the owner's code runs, so
 * closing inside a handler is noticed there and nowhere else.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "lib/io_parts.h"

#define READ_BYTES 16384 /* a TLS record's worth */
#define READ_TURNS 4     /* reads in one turn, then let others go */

bool
io_handle(struct io *io, enum io_event ev)
{
	io->on_event(io, ev);
	return !io->closed;
}

void
io_fail(struct io *io, const char *why)
{
	if (io->failed)
		return;
	io->failed = true;
	snprintf(io->error, sizeof(io->error), "%s", why);
	watch_set(&io->watch, 0);
	timer_clear(&io->timer);
	timer_clear(&io->again);
	io_handle(io, IO_ERROR);
}

void
io_want(struct io *io)
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

/* As io_tls_read(), and of the clear. */
static int
read_bytes(struct io *io, char *p, size_t room, size_t *got)
{
	ssize_t n;

	*got = 0;
	if (io->ssl != NULL)
		return io_tls_read(io, p, room, got);
	do
		n = recv(io->fd, p, room, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1) {
		io_fail(io, strerror(errno));
		return -1;
	}
	if (n == 0)
		return -2;
	*got = (size_t)n;
	return 1;
}

/* Hand the front of out to the socket, in the clear. */
static bool
send_clear(struct io *io)
{
	ssize_t n;

	do
		n = send(io->fd, buf_data(&io->out), io->out.len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		if (errno != EAGAIN)
			io_fail(io, strerror(errno));
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
		if (io->sealed == 0 && !io_tls_seal(io))
			return !io->failed && io_tls_send(io);
		if (!io_tls_send(io))
			return false;
		if (io->wire.stuck)
			return true;
		buf_consume(&io->out, io->sealed);
		io->sealed = 0;
	}
	buf_release(&io->out);
	return !io->wire.stuck || io_tls_send(io);
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

void
io_pump(struct io *io)
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
	if (input && !io_handle(io, IO_INPUT))
		return;
	if (io->failed)
		return;
	if (io->in.len == 0)
		buf_release(&io->in);
	if (io->eof) {
		watch_set(&io->watch, 0);
		io_handle(io, IO_EOF);
	}
}

static void
on_again(void *arg)
{
	struct io *io = arg;

	if (io->failed || io->closed || io->paused)
		return;
	io->in_handler = true;
	io_pump(io);
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
		io_fail(io, strerror(error));
	else
		io_handle(io, IO_CONNECTED);
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
		io_tls_shake(io);
	} else {
		sent = (events & LOOP_WRITE) && io->out.len > 0;
		if ((events & LOOP_WRITE) && !push(io))
			return;
		if (sent && io->out.len == 0 && !io_handle(io, IO_SENT))
			return;
		if ((events & LOOP_READ) && !io->failed)
			io_pump(io);
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
	io_tls_shake(io);
	if (io->closed)
		return;
	io->in_handler = false;
	io_flush(io);
}

static void
on_timeout(void *arg)
{
	struct io *io = arg;

	if (!io_handle(io, IO_TIMEOUT))
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
	io_want(io);
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
	io_want(io);
	return 0;
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
			if (!io_handle(io, IO_SENT))
				return;
			io->in_handler = false;
			if (io->failed)
				return;
		}
	}
	/* What the library said by itself, an alert or new keys. */
	if (!io->handshaking && io->wire.out.len > 0 && !io->wire.stuck &&
	    !io->ticket && !io_tls_send(io))
		return;
	io_want(io);
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
		io_want(io);
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
	if (io->ssl != NULL)
		io_tls_close(io);
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
