/*
 * channel.h - one end of the line to a neighbour: whole messages in order,
 * over SOCK_SEQPACKET, on the event loop.
 *
 * Sending never blocks and never fails for a caller who respects
 * channel_backlog(): records queue up and leave together at the end of the
 * loop's turn.  End of file is the peer's death and is told once.
 *
 * What arrives is checked against the rows of messages.c and the field tables:
 * version, bounds, direction.  A neighbour that breaks the protocol ends this
 * process, for one of the two is not what it was; an operator's command (P_CTL)
 * that does so, and a child to its parent, only loses its connection.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "ipc/messages.h"
#include "lib/loop.h"

struct channel;
struct parcel;

/*
 * fd: the descriptor that rode along, or -1.  The handler owns it; bulk bytes
 * of the message are gone when it returns.  It may close the channel.
 */
typedef void channel_message_fn(struct channel *, const struct msg *, int fd);
typedef void channel_gone_fn(struct channel *);

struct channel {
	int fd; /* -1 when closed */
	enum process self, peer;
	unsigned index; /* which smtpd; else 0 */
	channel_message_fn *on_message;
	channel_gone_fn *on_gone;
	void *arg; /* the owner's */
	struct watch watch;
	TAILQ_HEAD(parcels, parcel) out;
	size_t out_bytes;
	bool blocked;
	/* The owner's: what is a few messages' worth leaves while the turn goes
	 * on, so that the peer works meanwhile.  Not for whoever commits at the
	 * end of a turn what it has answered in it. */
	bool eager;
	uint64_t serial; /* changes with every open; for "is it the same?" */
	TAILQ_ENTRY(channel) link;
};

/* Takes fd.  The struct may be reused, and memory that holds it freed, after
 * channel_close() and in on_gone, inside its own handlers too. */
void
channel_open(struct channel *, int fd, enum process self, enum process peer,
    unsigned index, channel_message_fn *, channel_gone_fn *, void *arg);
/* Drops what was not sent.  Harmless when closed. */
void channel_close(struct channel *);
static inline bool
channel_up(const struct channel *c)
{
	return c->fd != -1;
}

/*
 * Queue m; fd (borrowed, duplicated) rides along, or -1.  False when the
 * channel is down: the caller answers its own asker for the dead neighbour.
 */
bool channel_send(struct channel *, const struct msg *, int fd);
/* Bytes waiting for the peer to read, and 32 KiB for each descriptor among
 * them; askers hold back over a bound.  Who asks on without reading what it was
 * answered breaks the protocol. */
size_t channel_backlog(const struct channel *);
/* Try to send what waits now, rather than at the end of the turn.  Harmless
 * when closed. */
void channel_flush(struct channel *);

/* Called once, when a neighbour has broken the protocol and before that ends
 * this process; NULL: nothing is. */
void channel_before_breach(void (*fn)(void));
/* What a neighbour said is what no honest one says; `what` is for the log. */
void
channel_breach(enum process who, const char *what) __attribute__((noreturn));

/*
 * For programs and threads without a loop (ctl, the signing thread): block
 * until the message is sent or received.  buf[MSG_MAX] holds what bulk bytes
 * borrow.  *fd gets the descriptor or -1 (NULL: none is expected, one that
 * comes is closed).  False at end of file, on errors and on a message that
 * the tables forbid.
 */
bool message_send(int sock, const struct msg *, int fd);
/* The same, encoded in the caller's buf[MSG_MAX]. */
bool message_send_in(int sock, const struct msg *, int fd, uint8_t *buf);
bool message_recv(int sock, enum process from, enum process to, struct msg *,
    uint8_t *buf, int *fd);

/* A connected SOCK_SEQPACKET pair, close-on-exec, with room for records. */
int message_pair(int fds[2]);

#endif
