/*
 * talk.h - one conversation with one SMTP server (RFC 5321, the client's
 * side), from its greeting to QUIT, with any number of jobs one after the
 * other.
 *
 * A talk owns no socket.  Bytes come in through talk_input(), commands pile
 * up in the buffer that talk_start() was given, and after every call the
 * caller sends them and asks talk_wants().
 *
 *   talk_start ── greeting ── EHLO ── STARTTLS ── EHLO ── AUTH ──┐
 *                               └ HELO                           │
 *        ┌───────────────────────────────────────────────────────┘
 *        └─ READY ── RSET ── MAIL ── RCPT… ── DATA ── body ── dot ─┐
 *             └──────────────────────────────────────────────────── ┘
 *
 * A message that is not lines of text goes as one chunk of BDAT in the place
 * of DATA and body, and the answer to it is that to the dot.
 *
 * A job that was begun comes back when talk_job() is NULL again.  Then all its
 * recipients have outcomes, or t->failure says why the open ones have none:
 * this server cannot help, another might.
 */
#ifndef DELIVER_TALK_H
#define DELIVER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/job.h"
#include "deliver/outcome.h"
#include "deliver/scram.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "mail/reply.h"

/* Steps of the conversation; the table is in talk.c. */
enum step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_HELO,
	STEP_STARTTLS,
	STEP_AUTH_SCRAM, /* with the first message */
	STEP_SCRAM_PROOF,
	STEP_SCRAM_END,
	STEP_AUTH_PLAIN,
	STEP_AUTH_LOGIN,
	STEP_AUTH_USER,
	STEP_AUTH_SECRET,
	STEP_READY, /* nothing under way */
	STEP_SIGN,  /* before a message: can it be had, and is it signed? */
	STEP_RSET,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BODY,
	STEP_DOT,
	STEP_QUIT,
	STEP_DONE, /* the connection is of no more use */
	STEP_COUNT
};

/* What the server said it can do (RFC 5321 4.1.1.1). */
enum offer {
	OFFERS_PIPELINING = 1, /* RFC 2920 */
	OFFERS_8BITMIME = 2,   /* RFC 6152 */
	OFFERS_SIZE = 4,       /* RFC 1870 */
	OFFERS_STARTTLS = 8,   /* RFC 3207 */
	OFFERS_PLAIN = 16,     /* RFC 4616 */
	OFFERS_LOGIN = 32,
	OFFERS_SMTPUTF8 = 64,     /* RFC 6531 */
	OFFERS_CHUNKING = 128,    /* RFC 3030 */
	OFFERS_BINARYMIME = 256,  /* RFC 3030 */
	OFFERS_DSN = 512,         /* RFC 3461 */
	OFFERS_DELIVERBY = 1024,  /* RFC 2852 */
	OFFERS_PRIORITY = 2048,   /* RFC 6710 */
	OFFERS_REQUIRETLS = 4096, /* RFC 8689 */
	OFFERS_SCRAM = 8192,      /* SCRAM-SHA-256, RFC 7677 */
};

/* A command that was said and not answered. */
struct owed {
	enum step step;
	unsigned rcpt; /* of STEP_RCPT */
};

/* Whom we talk to, and by which rules. */
struct talk_rules {
	char helo[256]; /* our name */
	bool sign;      /* ask for signatures */
	char mx[300];   /* theirs, for outcomes: "mx.example.net[::1]:25" */
	enum route_tls tls;
	const char *policy; /* behind that, for outcomes; static */
	bool requiretls;    /* RFC 8689: offered, or not this message */
	char user[256];     /* "" says no AUTH */
	char nonce[SCRAM_NONCE + 1]; /* random letters; with a user */
	unsigned rcpts_most;         /* in a transaction; 0 any number */
};

enum { TALK_OWED = JOB_RCPTS + 3 }; /* RSET, MAIL, RCPT..., DATA */

struct talk {
	struct talk_rules rules;
	struct buf *out; /* borrowed */
	enum step step;  /* what to say next */
	struct owed owed[TALK_OWED];
	unsigned owed_first, nowed;
	struct reply reply; /* the one being read */
	bool in_reply;
	unsigned progress; /* changes whenever the other side moved us on */

	/* The session. */
	unsigned offers;
	uint64_t size_limit; /* 0 unknown */
	uint64_t by_least_s; /* the shortest time of DELIVERBY; 0 any */
	char tls[16];        /* "TLSv1.3", "" in the clear */
	char cipher[40];
	bool wants_tls, wants_secret, has_secret, authed;
	bool parted; /* QUIT was answered */
	bool no_tls; /* it was wanted, and the server has none */
	char secret[256];
	struct scram scram;
	const char *scram_flaw; /* why it was broken off, or NULL */
	unsigned transactions;  /* begun */
	unsigned rcpts_most;    /* in one; 0 the server never complained */

	/* The transaction. */
	struct job *job;
	bool begun;    /* its first transaction was */
	bool dirty;    /* the server remembers a transaction: RSET first */
	bool refused;  /* MAIL was: the rest of the group is noise */
	bool chunked;  /* by BDAT (RFC 3030), not by DATA */
	bool dot_sent; /* from now on silence is not a no */
	bool heard;    /* any answer since the job began */
	bool again;    /* some recipients want another transaction */
	bool prepared; /* it can be had by this server */
	bool wants_signature;
	bool has_signature;
	const char *body; /* for BODY=, or NULL */
	bool partly; /* the first of several is done; the caller clears it */
	unsigned next_rcpt;
	unsigned rcpts_said;
	unsigned accepted;
	uint8_t said[JOB_RCPTS]; /* what the server said of each */
	struct reading reading;
	bool stale;  /* see talk_stale() */
	bool failed; /* `failure` is set */
	struct outcome failure;
};

enum talk_wants {
	TALK_INPUT,     /* replies; if talk_hungry() also room in the buffer */
	TALK_TLS,       /* start a handshake, then talk_secured() */
	TALK_SECRET,    /* the password, by talk_secret() */
	TALK_SIGNATURE, /* of t->reading, by talk_signed() */
	TALK_IDLE,      /* nothing: give it a job or talk_quit() */
	TALK_CLOSE,     /* send what is in the buffer and close */
};

/*
 * Begin; nothing is said before the server's greeting (with
 * ROUTE_TLS_IMPLICIT: before TLS is up).
 *
 *   rules  copied
 *   out    borrowed until talk_clear()
 *   job    borrowed until it comes back; may be NULL
 */
void talk_start(
    struct talk *, const struct talk_rules *, struct buf *out, struct job *);
/* Forget everything, a secret first. */
void talk_clear(struct talk *);

/* Carry another job; talk_wants() is TALK_IDLE. */
void talk_begin(struct talk *, struct job *);

/* What the server said; all of it is taken. */
void talk_input(struct talk *, const char *, size_t);
/* TLS is up; version and cipher as text. */
void talk_secured(struct talk *, const char *version, const char *cipher);
/* The password; copied, wiped after use.  NULL: it cannot be had. */
void talk_secret(struct talk *, const char *);
/* Lines to put in front of the message; copied.  NULL: it cannot be signed
 * now, and is to be tried later. */
void talk_signed(struct talk *, const char *lines);
/* The buffer has been sent. */
void talk_drained(struct talk *);
/* The connection broke, because of `why`. */
void talk_lost(struct talk *, const char *why);
/* talk_patience() seconds passed. */
void talk_timeout(struct talk *);
/* No more jobs. */
void talk_quit(struct talk *);

enum talk_wants talk_wants(const struct talk *);
/* There is more of the message than fits the buffer. */
bool talk_hungry(const struct talk *);
/* Seconds to wait for the server from the last change of t->progress on; 0
 * for ever (RFC 5321 4.5.3.2). */
int talk_patience(const struct talk *);
/* On the way into TLS: if it breaks now, TLS may be the reason. */
bool talk_is_securing(const struct talk *);
static inline struct job *
talk_job(const struct talk *t)
{
	return t->job;
}

/* The job failed because a connection that was kept had gone stale: nothing
 * is known about the server, and a new connection may do. */
static inline bool
talk_stale(const struct talk *t)
{
	return t->stale;
}

#endif
