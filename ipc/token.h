/*
 * token.h - the proof that somebody has logged in, which auth gives, smtpd
 * keeps with the session and shows, and auth and queue believe.
 *
 * It is a code under a key that the parent makes at each start and gives to
 * auth and queue alone, over which smtpd and which of its sessions it was, the
 * account, the credential and the time.  An smtpd can show only what it was
 * given.
 *
 * A permit is the same for one message: auth gives it when it has charged the
 * account, and the queue takes a message with an unspent permit only, of that
 * sender, and of no more recipients and octets than it says.
 */
#ifndef IPC_TOKEN_H
#define IPC_TOKEN_H

#include "ipc/messages.h"

/* A session that lasts longer has to log in again. */
#define TOKEN_LIFE_MS (24 * 3600 * 1000)
/* A loop reads its clock once a turn, and a turn may be long: to who checks, a
 * new token may seem to be of the future. */
#define TOKEN_AHEAD_MS (60 * 1000)

struct token_claim {
	unsigned smtpd;   /* its index */
	uint64_t session; /* the tag of its messages */
	const char *account, *credential;
};

struct permit_claim {
	struct token_claim login;
	const char *sender;
};

enum token_fault {
	TOKEN_FINE,
	TOKEN_ABSENT,
	TOKEN_FALSE, /* somebody else's, altered, or of another start */
	TOKEN_OLD,
	TOKEN_SPENT,   /* a permit for a message that was taken */
	TOKEN_TOO_LOW, /* a permit for a smaller message */
};

/* Before it no token is made that is believed, and none is believed. */
void token_set_key(const struct msg_token_key *);

/* now is loop_now_ms(), which is the same clock in all processes. */
void token_make(struct token *, const struct token_claim *, int64_t now);
enum token_fault
token_check(const struct token *, const struct token_claim *, int64_t now);

/* Serial, size and rcpts are set. */
void permit_seal(struct permit *, const struct permit_claim *, int64_t now);
/* TOKEN_FINE to TOKEN_OLD; whether it was spent is the queue's to know. */
enum token_fault
permit_verify(const struct permit *, const struct permit_claim *, int64_t now);

/* For the log. */
const char *token_fault_name(enum token_fault);

#endif
