/*
 * clients.h - the connections there are: a session each, and its socket.
 *
 * A session's id is the number of its slot in the low bits and a serial
 * number above them.  An answer for a session that is gone finds another id
 * in the slot, or none.
 */
#ifndef SMTPD_CLIENTS_H
#define SMTPD_CLIENTS_H

#include <sys/queue.h>

#include "lib/io.h"
#include "smtpd/handshakes.h"
#include "smtpd/session.h"
#include "smtpd/source.h"

#define CLIENTS 20000 /* of a process at once, if it may have as many files */

struct client {
	uint64_t id;
	struct io io;
	struct session session;
	struct source *source;
	int64_t timer_at;      /* 0 not set */
	bool asks_certificate; /* of the client, in the handshake */
	struct network network;
	bool counted; /* its handshake, until it logs in */
	bool legacy;  /* came to a [listen] for old devices */
	bool eof, securing, lingering;
	int64_t held_since; /* held.h; 0 not held */
	TAILQ_ENTRY(client) held;
	bool stranger; /* has not logged in */
	TAILQ_ENTRY(client) strangers;
	TAILQ_ENTRY(client) link;
};

/* Room for this many; call once. */
void clients_init(unsigned most);
unsigned clients_count(void);
bool clients_full(void);

/* A new one, all zero but for its id.  There must be room. */
struct client *client_new(void);
/* Out of the table at once; the memory lives until the end of the turn, for
 * the callback that is running may belong to it. */
void client_free(struct client *);
/* It has logged in.  Harmless when it had before. */
void client_known(struct client *);
/* Who has been here longest without that, or NULL. */
struct client *client_first_stranger(void);
/* NULL when it is gone, whatever the id. */
struct client *client_find(uint64_t id);

/* All of them; NULL at the end.  Whoever frees one asks for the next before. */
struct client *client_first(void);
struct client *client_next(struct client *);

#endif
