/*
 * channel.c - see channel.h.
 *
 * Records are encoded once, when they are queued, and leave with one
 * sendmmsg(2) at the end of the turn; one wake-up of the peer then serves
 * them all.  All channels share one receive buffer, because a record is dealt
 * with before the next one is read.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/log.h"

#define BATCH        32 /* records sent or read in one go */
#define SOCKET_BYTES (4 * 1024 * 1024)
#define PLENTY       30000 /* octets that a peer may begin with */

/* What a descriptor that waits counts for: there are fewer of them than
 * bytes, and each may be a large file. */
#define FD_BYTES (32 * 1024)

/* Answers that a neighbour has not read while it asks for more: far beyond
 * what any has asked for at once, 2,000 files for bodies included. */
#define OUT_MOST ((size_t)96 << 20)

struct parcel {
	TAILQ_ENTRY(parcel) link;
	int fd;
	bool secret;
	size_t len;
	uint8_t data[];
};

static TAILQ_HEAD(, channel) channels = TAILQ_HEAD_INITIALIZER(channels);
static uint64_t serials;
/* How often any was: who ran an owner's code looks here, not at a pointer. */
static uint64_t closed;
static uint8_t *scratch; /* one record out, then one record in */
static bool hooked;
static void (*last_words)(void);

static void
flush_all(void *arg)
{
	struct channel *c;
	uint64_t before;

	(void)arg;
again:
	TAILQ_FOREACH (c, &channels, link) {
		if (TAILQ_EMPTY(&c->out) || c->blocked)
			continue;
		before = closed;
		channel_flush(c);
		if (closed != before)
			goto again; /* c or its successor may be gone */
	}
}

static void
gone(struct channel *c)
{
	channel_close(c);
	c->on_gone(c);
}

void
channel_before_breach(void (*fn)(void))
{
	last_words = fn;
}

void
channel_breach(enum process who, const char *what)
{
	void (*fn)(void) = last_words;

	last_words = NULL;
	if (fn != NULL)
		fn();
	fatal("%s broke the protocol: %s", process_name(who), what);
}

/* A neighbour that breaks the protocol is not what it was.  Only the parent
 * knows that it is not the one: without it there is no server. */
static void
breach(struct channel *c, const char *what)
{
	if (c->peer == P_CTL)
		log_event("ctl.dropped", "error=%s", log_quote(what));
	else if (c->self == P_PARENT)
		log_event("process.dropped", "process=%s error=%s",
		    process_name(c->peer), log_quote(what));
	else
		channel_breach(c->peer, what);
	gone(c);
}

/* One record into buf; the descriptor that came along into *fd. */
static ssize_t
take(int sock, uint8_t *buf, size_t size, int *fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { buf, size };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cm;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n;
	cm = CMSG_FIRSTHDR(&mh);
	if (cm != NULL && cm->cmsg_level == SOL_SOCKET &&
	    cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(cm), sizeof(int));
	if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (*fd != -1)
			close(*fd);
		*fd = -1;
		/* Cut off and empty: there was no number free for it. */
		errno =
		    mh.msg_flags & MSG_CTRUNC && cm == NULL ? EMFILE : EMSGSIZE;
		return -1;
	}
	return n;
}

/* Decode and check direction; the descriptor is closed where none belongs. */
static const char *
understand(const uint8_t *rec, size_t n, enum process from, enum process to,
    struct msg *m, int *fd)
{
	const char *why = NULL;

	if (!msg_decode(m, rec, n))
		why = msg_is_ours(rec, n) ? "malformed record"
					  : "a record of another version: "
					    "restart postern";
	else if (!msg_allowed(m->type, from, to))
		why = "message in the wrong direction";
	else if (*fd != -1 && !msg_carries_fd(m->type))
		why = "unexpected descriptor";
	if (why != NULL && *fd != -1) {
		close(*fd);
		*fd = -1;
	}
	return why;
}

static void
read_some(struct channel *c)
{
	uint8_t *in = scratch + MSG_MAX;
	uint64_t before = closed;
	const char *why;
	struct msg m;
	ssize_t n;
	int fd;

	for (int i = 0; i < BATCH; i++) {
		n = take(c->fd, in, MSG_MAX, &fd);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1 && errno == EMFILE)
			fatal("too few descriptors to take one from %s",
			    process_name(c->peer));
		if (n == -1 && errno == EMSGSIZE) {
			breach(c, "record too long");
			return;
		}
		if (n <= 0) {
			gone(c);
			return;
		}
		why = understand(in, (size_t)n, c->peer, c->self, &m, &fd);
		if (why == NULL && c->out_bytes > OUT_MOST) {
			why = "it asks, and reads no answer";
			if (fd != -1)
				close(fd);
		}
		if (why != NULL) {
			breach(c, why);
			return;
		}
		c->on_message(c, &m, fd);
		if (msg_is_secret(m.type)) {
			explicit_bzero(in, (size_t)n);
			explicit_bzero(&m, sizeof(m));
		}
		/* It may be the one that the handler closed, and freed. */
		if (closed != before)
			return;
	}
}

static void
on_ready(void *arg, short events)
{
	struct channel *c = arg;
	uint64_t before = closed;

	if (events & LOOP_WRITE) {
		c->blocked = false;
		channel_flush(c);
		if (closed != before)
			return;
	}
	if (events & LOOP_READ)
		read_some(c);
}

void
channel_open(struct channel *c, int fd, enum process self, enum process peer,
    unsigned index, channel_message_fn *on_message, channel_gone_fn *on_gone,
    void *arg)
{
	if (!hooked) {
		hooked = true;
		loop_hook(flush_all, NULL);
		scratch = malloc(2 * MSG_MAX);
		if (scratch == NULL)
			abort();
	}
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->self = self;
	c->peer = peer;
	c->index = index;
	c->on_message = on_message;
	c->on_gone = on_gone;
	c->arg = arg;
	c->serial = ++serials;
	TAILQ_INIT(&c->out);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	watch_init(&c->watch, fd, on_ready, c);
	watch_set(&c->watch, LOOP_READ);
	TAILQ_INSERT_TAIL(&channels, c, link);
}

static size_t
weight(const struct parcel *p)
{
	return p->len + (p->fd != -1 ? FD_BYTES : 0);
}

static void
discard(struct channel *c, struct parcel *p)
{
	TAILQ_REMOVE(&c->out, p, link);
	c->out_bytes -= weight(p);
	if (p->fd != -1)
		close(p->fd);
	if (p->secret)
		explicit_bzero(p->data, p->len);
	free(p);
}

void
channel_close(struct channel *c)
{
	struct parcel *p;

	if (c->fd == -1)
		return;
	while ((p = TAILQ_FIRST(&c->out)) != NULL)
		discard(c, p);
	watch_set(&c->watch, 0);
	close(c->fd);
	c->fd = -1;
	closed++;
	TAILQ_REMOVE(&channels, c, link);
}

bool
channel_send(struct channel *c, const struct msg *m, int fd)
{
	struct parcel *p;
	size_t n;

	if (c->fd == -1)
		return false;
	assert(msg_allowed(m->type, c->self, c->peer));
	assert(fd == -1 || msg_carries_fd(m->type));
	n = msg_encode(m, scratch, MSG_MAX);
	assert(n > 0);
	p = malloc(sizeof(*p) + n);
	if (p == NULL)
		abort();
	memcpy(p->data, scratch, n);
	p->len = n;
	p->secret = msg_is_secret(m->type);
	if (p->secret)
		explicit_bzero(scratch, n);
	p->fd = -1;
	if (fd != -1 && (p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		fatal("cannot pass a descriptor: %s", strerror(errno));
	TAILQ_INSERT_TAIL(&c->out, p, link);
	c->out_bytes += weight(p);
	if (c->eager && c->out_bytes >= PLENTY && !c->blocked)
		loop_soon(flush_all, NULL);
	return true;
}

size_t
channel_backlog(const struct channel *c)
{
	return c->out_bytes;
}

struct outgoing {
	struct iovec iov;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
};

static void
attach(struct msghdr *mh, struct outgoing *o, int fd)
{
	struct cmsghdr *cm;

	memset(&o->control, 0, sizeof(o->control));
	mh->msg_control = &o->control;
	mh->msg_controllen = sizeof(o->control);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(int));
}

void
channel_flush(struct channel *c)
{
	struct mmsghdr mm[BATCH];
	struct outgoing o[BATCH];
	struct parcel *p;
	int n, sent;

	if (c->fd == -1)
		return;
	while (!TAILQ_EMPTY(&c->out)) {
		n = 0;
		memset(mm, 0, sizeof(mm));
		TAILQ_FOREACH (p, &c->out, link) {
			if (n == BATCH)
				break;
			o[n].iov.iov_base = p->data;
			o[n].iov.iov_len = p->len;
			mm[n].msg_hdr.msg_iov = &o[n].iov;
			mm[n].msg_hdr.msg_iovlen = 1;
			if (p->fd != -1)
				attach(&mm[n].msg_hdr, &o[n], p->fd);
			n++;
		}
		sent = sendmmsg(
		    c->fd, mm, (unsigned)n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && (errno == EAGAIN || errno == ENOBUFS))
			break;
		if (sent == -1) {
			gone(c);
			return;
		}
		while (sent-- > 0)
			discard(c, TAILQ_FIRST(&c->out));
	}
	c->blocked = !TAILQ_EMPTY(&c->out);
	watch_set(&c->watch, c->blocked ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

bool
message_send_in(int sock, const struct msg *m, int fd, uint8_t *buf)
{
	struct outgoing o;
	struct msghdr mh = { .msg_iov = &o.iov, .msg_iovlen = 1 };
	ssize_t n;

	o.iov.iov_base = buf;
	o.iov.iov_len = msg_encode(m, buf, MSG_MAX);
	assert(o.iov.iov_len > 0);
	if (fd != -1)
		attach(&mh, &o, fd);
	do
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	explicit_bzero(buf, o.iov.iov_len);
	return n == (ssize_t)o.iov.iov_len;
}

bool
message_send(int sock, const struct msg *m, int fd)
{
	uint8_t *buf = malloc(MSG_MAX);
	bool sent;

	if (buf == NULL)
		abort();
	sent = message_send_in(sock, m, fd, buf);
	free(buf);
	return sent;
}

bool
message_recv(int sock, enum process from, enum process to, struct msg *m,
    uint8_t *buf, int *fd)
{
	ssize_t n;
	int got;

	n = take(sock, buf, MSG_MAX, &got);
	if (n <= 0)
		return false;
	if (understand(buf, (size_t)n, from, to, m, &got) != NULL)
		return false;
	if (fd != NULL)
		*fd = got;
	else if (got != -1)
		close(got);
	return true;
}

int
message_pair(int fds[2])
{
	int bytes = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	/* The kernel's own bound applies when this is refused. */
	for (int i = 0; i < 2; i++)
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
			sizeof(bytes)) == -1)
			setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes,
			    sizeof(bytes));
	return 0;
}
