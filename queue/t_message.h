/*
 * t_message.h - one row for each message in the queue: id -> envelope, owner,
 * trace, and how far it got.
 *
 * Written at acceptance; written again when one of several jobs ends and when
 * an admin holds or releases it; deleted with its last job.
 */
#ifndef QUEUE_T_MESSAGE_H
#define QUEUE_T_MESSAGE_H

#include "ipc/messages.h"
#include "queue/store.h"

/* The flags that a row has. */
#define TX_KEPT \
	(TX_8BIT | TX_BOUNCE | TX_SMTPUTF8 | TX_UTF8_HEADER | TX_BINARY | \
	    TX_REQUIRETLS | TX_TLS_OPTIONAL | TX_RET_FULL | TX_RET_HDRS | \
	    TX_BY_RETURN | TX_BY_NOTIFY | TX_BY_TRACE)

/* Where a body is.  Kept in rows: append only. */
enum body_kind {
	BODY_ROWS, /* in the table of bodies */
	BODY_FILE, /* in the folder of bodies, under the id's name */
	BODY_LOG,  /* in the log, where it was made durable */
};

struct message_row {
	char account[ADDR_SIZE]; /* "": made by postern itself */
	char credential[64];
	char sender[ADDR_SIZE]; /* "" is the null path */
	char ip[46];
	uint32_t port;
	char tls[16];
	char mech[20];
	char msgid[256];
	uint32_t flags;    /* enum tx_flags */
	uint64_t size;     /* of the body */
	uint32_t body;     /* enum body_kind */
	uint64_t place;    /* BODY_LOG: where */
	uint64_t accepted; /* unix milliseconds */
	uint32_t rcpts;
	uint32_t jobs;      /* not ended yet */
	uint32_t delivered; /* recipients that ended so */
	uint32_t bounced;
	uint32_t dropped; /* removed, or failed without anyone to tell */
	uint32_t held;    /* by an admin */
	struct tx_options options;
	struct bytes added;
	struct bytes body_hash; /* for DKIM; none: not known */
};

void t_message_put(struct txn *, uint64_t id, const struct message_row *);
/* row->added and row->body_hash borrow from buf[STORE_ROW_MAX].  False when there is none. */
bool
t_message_get(struct txn *, uint64_t id, struct message_row *, uint8_t *buf);
bool t_message_del(struct txn *, uint64_t id);
bool t_message_exists(uint64_t id);

/* The messages from id on, until cb returns false; see store_walk(). */
typedef bool t_message_fn(void *arg, uint64_t id, const struct message_row *);
bool t_message_walk(uint64_t id, t_message_fn *cb, void *arg);

#endif
