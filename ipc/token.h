/*
 * token.h - the proof that somebody has logged in, which auth gives, smtpd
 * keeps with the session and shows, and auth and queue believe.
 *
 * It is a code under a key that the parent makes at each start and gives to
 * auth and queue alone, over which smtpd and which of its sessions it was, the
 * account, the credential and the time.  An smtpd can show only what it was
 * given.
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

enum token_fault {
	TOKEN_FINE,
	TOKEN_ABSENT,
	TOKEN_FALSE, /* somebody else's, altered, or of another start */
	TOKEN_OLD,
};

/* Before it no token is made that is believed, and none is believed. */
void token_set_key(const struct msg_token_key *);

/* now is loop_now_ms(), which is the same clock in all processes. */
void token_make(struct token *, const struct token_claim *, int64_t now);
enum token_fault
token_check(const struct token *, const struct token_claim *, int64_t now);

/* For the log. */
const char *token_fault_name(enum token_fault);

#endif
