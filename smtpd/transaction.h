/*
 * transaction.h - one message on its way in, from MAIL to the reply to the
 * lone dot or the last chunk.
 *
 * The body waits in memory up to BODY_INLINE octets, which is most mail; what
 * is larger goes to a file lent by the queue.
 */
#ifndef SMTPD_TRANSACTION_H
#define SMTPD_TRANSACTION_H

#include "lib/sha256.h"
#include "mail/data.h"
#include "mail/dkim.h"
#include "mail/header.h"
#include "smtpd/handler.h"

struct transaction {
	char sender[ADDRESS_MAX]; /* canonical; "" is the null path */
	uint64_t size_hint;       /* SIZE= of MAIL, 0 none */
	uint32_t flags;           /* enum tx_flags, as far as MAIL tells */
	struct tx_options options;
	int64_t began_ms; /* at MAIL */
	unsigned nrcpts;
	struct buf hashes;   /* of the recipients, for auth */
	uint32_t most_rcpts; /* as auth says of the account */
	uint64_t most_size;
	bool charged; /* auth counts it as sent, and this is the proof */
	struct permit permit;
	struct buf rcpts; /* packed; those that the queue has not got yet */
	bool known;       /* the queue holds something of it */
	bool lost;        /* ... or held, and died */
	bool committing;  /* its permit is the queue's by now */

	int64_t data_ms;   /* at 354, moved on by the time we made it wait */
	uint64_t received; /* octets from the client since 354 */
	bool ended;        /* the lone dot has come, or the last chunk */
	bool chunked;      /* by BDAT */
	bool last_chunk;   /* the one under way */
	uint64_t chunk_size, chunk_left; /* its octets, and those to come */
	int64_t chunk_end_ms;            /* of the one before */
	bool judged; /* the header is complete and was looked at */
	bool too_large;
	bool doomed; /* it will be refused: the body is dropped */
	int fd;      /* lent file, or -1 */
	uint64_t written;
	struct sha256 *hash; /* of the body, NULL before it begins */
	uint8_t body_hash[SHA256_SIZE];
	struct dkim_body dkim;
	struct buf body;             /* not in the file yet */
	struct outcome header_fault; /* V_OK: none */
	struct outcome allowed;      /* auth's word on the header */
	struct outcome trouble;      /* of the queue or the file; V_OK: none */
	struct data_reader reader;
	struct header_scan header;
};

/* Empty, with this sender.  Never NULL. */
struct transaction *tx_new(const char *sender, int64_t now_ms);
void tx_free(struct transaction *);

/* Room for a recipient of n octets (ipc/rcpt.h) in the record to come? */
bool tx_has_room(const struct transaction *, size_t n);
void tx_add_rcpt(struct transaction *, const uint8_t *item, size_t n);
/* Its hash, unless there are RCPT_HASHES already. */
void tx_add_hash(struct transaction *, const char *address);

/* The next octets of the message, header included, to hash what is body. */
void tx_hash(struct transaction *, const char *, size_t n);

/* Write what waits in memory into the lent file; sets trouble on failure. */
void tx_flush(struct transaction *);

/* Give the lent file back, if there is one. */
void tx_close_file(struct transaction *);

/* It will not be stored: give the memory back. */
void tx_doom(struct transaction *);

/* The message to ask the queue for responsibility with; borrows from tx. */
void tx_commit(struct transaction *, const struct session *, struct msg *);

/* It was not taken, whoever is to blame: the account is not charged for it.
 * While the queue is away it is, for nobody else knows that the permit was not
 * used.  One that was used is charged for. */
void tx_give_back(struct transaction *, const struct session *);

#endif
