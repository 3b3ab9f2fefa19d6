/*
 * io.h - one byte stream to the world: a nonblocking TCP socket, clear or TLS.
 *
 * The owner gets named events; bytes from the peer arrive in `in` (a buffer
 * that costs nothing while empty); what the owner appends to `out` leaves
 * together when it calls io_flush() or when the event handler returns.
 */
#ifndef LIB_IO_H
#define LIB_IO_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/wire.h"

enum io_event {
	IO_CONNECTED, /* io_connect() succeeded */
	IO_SECURED,   /* the TLS handshake is done */
	IO_HELD,      /* it stands still (tls_use_hold()) until io_go_on() */
	IO_INPUT,     /* new bytes in io->in */
	IO_SENT,      /* everything in io->out has left */
	IO_EOF,       /* the peer closed its side, close_notify included */
	IO_ERROR,     /* io_error() tells; nothing more will happen */
	IO_TIMEOUT,   /* the timer set by io_timeout() ran out */
};

struct io;
typedef void io_event_fn(struct io *, enum io_event);

struct io {
	int fd;
	SSL *ssl; /* NULL in the clear */
	struct buf in, out;
	size_t in_limit; /* reading pauses with this much in `in` */
	io_event_fn *on_event;
	void *arg;
	struct watch watch;
	struct timer timer;
	bool connecting, handshaking, paused, eof, failed, closed, in_handler;
	bool held;       /* in the middle of a handshake */
	bool ticket;     /* of TLS 1.3, in the wire: goes with the next words */
	bool farewell;   /* close_notify goes with what is in out */
	bool wiping;     /* what is read, inside the library */
	bool want_write; /* of TLS, while reading or shaking hands */
	bool dry;        /* what TLS still holds is no whole record */
	unsigned late_steps; /* of TLS, behind the handshake */
	char error[160];
	struct wire wire;   /* TLS only */
	size_t sealed;      /* of out, that is in the wire */
	struct timer again; /* bytes left inside TLS while reading paused */
};

/* Takes a connected, nonblocking fd; sets TCP_NODELAY.  Reading starts. */
void io_open(struct io *, int fd, size_t in_limit, io_event_fn *, void *arg);
/* Start connecting; from may be NULL.  -1 with errno when it fails at once. */
int io_connect(struct io *, const struct sockaddr *to, socklen_t,
    const struct sockaddr *from, socklen_t from_len, size_t in_limit,
    io_event_fn *, void *arg);
/* Begin a handshake; whatever is in `in` must be empty (assert). */
void io_secure(struct io *, SSL_CTX *, bool server, const char *sni);

/*
 * Whether the library wipes what it decrypted once it was read; a server does
 * so from the start.  Off when no more secrets are expected: a quarter of the
 * CPU of a large body.  Nothing happens in the clear.
 */
void io_wipe(struct io *, bool);
/* Take a handshake up again that was held; no-op otherwise.  Not from inside
 * a handler of the same io. */
void io_go_on(struct io *);

/* Send what is in out, as far as the socket takes it now; the rest follows by
 * itself.  Inside a handler it waits for the handler's end. */
void io_flush(struct io *);
/* Nothing will be written behind what is in out: TLS ends with it. */
void io_farewell(struct io *);
void io_pause(struct io *, bool paused);     /* of reading */
void io_timeout(struct io *, int64_t in_ms); /* 0: none; each call restarts */
/*
 * Close at once; what was not sent is dropped, so wait for IO_SENT when the
 * last words matter.  Inside a handler the struct must stay in place until the
 * handler has returned: free it at the end of the turn (loop_hook).
 */
void io_close(struct io *);
const char *io_error(const struct io *);
/* "TLSv1.3", or "" in the clear. */
const char *io_tls_version(const struct io *);
/* "TLS_AES_128_GCM_SHA256", or "" in the clear. */
const char *io_tls_cipher(const struct io *);

#endif
