/*
 * wire.c - see wire.h.
 */
#include <errno.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/wire.h"

/* What one large SSL_write() makes fits; a peer that asks for answers of the
 * library and does not read them comes to its end here. */
#define MOST 131072

static int
put(BIO *bio, const char *p, int n)
{
	struct wire *w = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (w->out.len >= MOST) {
		BIO_set_retry_write(bio);
		return -1;
	}
	buf_add(&w->out, p, (size_t)n);
	return n;
}

static long
ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio, (void)num, (void)ptr;
	/* The library flushes often; we do when a turn ends. */
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static BIO_METHOD *
method(void)
{
	static BIO_METHOD *m;

	if (m != NULL)
		return m;
	m = BIO_meth_new(
	    BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern wire");
	if (m == NULL || BIO_meth_set_write(m, put) != 1 ||
	    BIO_meth_set_ctrl(m, ctrl) != 1)
		fatal("TLS: no memory");
	return m;
}

BIO *
wire_bio(struct wire *w)
{
	BIO *bio = BIO_new(method());

	if (bio == NULL)
		fatal("TLS: no memory");
	BIO_set_data(bio, w);
	BIO_set_init(bio, 1);
	return bio;
}

bool
wire_send(struct wire *w)
{
	ssize_t n;

	w->stuck = false;
	while (w->out.len > 0) {
		n = send(w->fd, buf_data(&w->out), w->out.len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			w->stuck = errno == EAGAIN;
			return false;
		}
		buf_consume(&w->out, (size_t)n);
	}
	buf_release(&w->out);
	return true;
}
