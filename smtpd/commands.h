/*
 * commands.h - the table of commands: where each is legal, what it needs
 * first, who runs it, and where its reply leads.
 */
#ifndef SMTPD_COMMANDS_H
#define SMTPD_COMMANDS_H

#include "smtpd/handler.h"

#define COMMAND_MOST 2048 /* octets of any command but AUTH */

#define IN(st)   (1u << (st))
#define IDLE     (IN(ST_NEW) | IN(ST_READY))
#define TX       (IN(ST_MAIL) | IN(ST_RCPT))
#define ANYWHERE (IDLE | TX | IN(ST_CHUNKS))
/* Where there is a transaction. */
#define INSIDE (TX | IN(ST_BODY) | IN(ST_CHUNKS))

/* What a command needs, and how it counts. */
enum {
	TLS = 1,      /* only inside TLS */
	CLEAR = 2,    /* only outside */
	LOGIN = 4,    /* only with an account */
	NO_LOGIN = 8, /* only without */
	LONG = 16,    /* may be longer than COMMAND_MOST */
	IDLING = 32,  /* gets no mail sent: bounded between mails */
	FOLLOWS = 64, /* pipelined behind a refused one it is no error */
	OCTETS = 128, /* a chunk is behind it, also when it is refused */
};

struct command {
	const char *verb;
	unsigned legal_in; /* set of IN(state) */
	unsigned needs;
	int (*run)(struct session *, char *args, size_t n);
	int (*answered)(struct session *, const struct msg *, int fd);
	enum state on_2yz, on_3yz, on_error;
};

/* Steps that no verb starts; a crumb is a chunk of few octets, and what is
 * behind a refused MAIL may be pipelined. */
extern const struct command step_auth, step_body, step_chunk, step_crumb,
    step_refused, step_refused_behind;

/* The row of this verb that is legal now, or another one of it, or NULL. */
const struct command *
commands_find(const struct session *, const char *verb, size_t n);

/* What the table says against this command, a line of n octets, here and now;
 * or NULL. */
const struct refusal *
commands_object(const struct session *, const struct command *, size_t n);

#endif
