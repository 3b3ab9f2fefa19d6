/*
 * session.h - one SMTP client, from accept to close (RFC 5321 4, RFC 6409).
 *
 * A session knows no socket, no event loop and no OpenSSL.  Bytes come in
 * through session_input(), answers of auth and queue through session_answer();
 * replies pile up in *out.  After every call the owner sends *out, looks at
 * session_wants() and sees that session_timeout() is called when
 * session_deadline() has passed.
 */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/sha256.h"
#include "mail/sasl.h"

enum state {
	ST_NEW,     /* greeted; no EHLO since the last reset */
	ST_READY,   /* EHLO done, no transaction */
	ST_AUTH,    /* inside a SASL exchange (RFC 4954) */
	ST_MAIL,    /* MAIL accepted, no recipient yet */
	ST_RCPT,    /* one recipient or more accepted */
	ST_BODY,    /* between 354 and the reply to the lone dot, or inside a
		     * chunk (RFC 3030) */
	ST_CHUNKS,  /* between two chunks */
	ST_TLS,     /* a handshake comes next, or is under way */
	ST_REFUSED, /* at the greeting: nothing but QUIT (RFC 5321 3.1) */
	ST_CLOSING, /* the last words are said */
	ST_COUNT,
	ST_SAME = ST_COUNT /* in tables only: stay where we are */
};

enum wants {
	WANTS_INPUT,
	WANTS_NOTHING, /* an answer must come first, or time pass */
	WANTS_TLS,     /* once all of *out has left */
	WANTS_CLOSE,   /* once all of *out has left */
	WANTS_LINGER,  /* the same, but the client may still be talking: read
			* on for a moment, or a reset destroys our words */
};

/* Why the server ends a session. */
enum parting { PART_NOT, PART_STOP, PART_RELOGIN, PART_BARRED };

/* What all sessions of a process share; its owner keeps it true. */
struct surroundings {
	const struct conf *conf;
	int64_t now_ms;           /* only grows */
	int64_t (*wall_ms)(void); /* since 1970 */
	bool tls;                 /* there is a certificate */
	bool queue_up;            /* the queue is there at all */
	bool accepting;           /* it takes new mail */
	char refusal[160];        /* why not */
	/* Pass a request on to the neighbour it is for.  False: that one is
	 * down or overloaded, no answer will come. */
	bool (*send)(const struct msg *);
	/* One more session of this account.  False: it has too many. */
	bool (*enter)(const char *account);
};

/* How the connection may be named inside it (channel binding). */
struct tls_facts {
	unsigned char exporter[32]; /* RFC 9266 */
	size_t nexporter;
	unsigned char endpoint[64]; /* RFC 5929 4 */
	size_t nendpoint;
	char certificate[SHA256_HEX]; /* SHA-256 of the client's key; "" none */
};

struct command;
struct transaction;

/* Octets of a chunk that is refused: eaten first, then answered. */
struct skip {
	uint64_t size, left;
	int64_t began_ms;
	int code;
	const char *status, *text; /* borrowed for ever */
	const struct command *cmd;
};

/* What is said against a command. */
struct refusal {
	int code; /* 0: nothing */
	const char *status, *text;
};

struct session {
	uint64_t id; /* never reused; the tag of every request */
	const struct surroundings *world;
	struct buf *out;
	enum state state;
	const struct command *cmd; /* waits for an answer, or NULL */
	enum msg_type awaits;      /* the session stands still until it comes */
	enum msg_type expects; /* comes when it comes, while input goes on */
	bool unheard;          /* the request just made got nowhere */
	enum parting parting;
	struct transaction *tx; /* NULL outside of one */
	struct skip skip;

	bool greeted, esmtp, linger;
	bool bare_lf;      /* the line under way has one: for the hint */
	size_t behind;     /* octets that came behind the command */
	size_t skipped;    /* octets of an overlong line dropped so far */
	size_t anonymous;  /* octets eaten before login */
	int64_t opened_ms; /* the connection */
	int64_t since_ms;  /* what it waits for now */
	int64_t until_ms;  /* it is not listened to before; 0 it is */
	unsigned errors, idle_commands, put_offs, auth_failures;

	char ip[NET_TEXT];
	unsigned port;
	enum screen_action screen; /* what the rules say of it */
	bool unsure;               /* not all of them could be asked */
	char screen_text[SCREEN_TEXT];
	bool legacy;     /* at a [listen] for old devices */
	bool scram;      /* at one that offers it */
	bool relayed;    /* the exchange has begun with auth */
	bool login_told; /* the log has an AUTH that auth was not asked about */
	/* What TLS knows of the connection, for SCRAM and EXTERNAL. */
	struct tls_facts facts;
	char tls[16]; /* "TLSv1.3", "" in the clear */
	const char *mech;
	struct sasl_login *login; /* AUTH LOGIN between its two answers */
	char account[ADDR_SIZE];  /* "" nobody yet */
	/* To MAIL, of one whose password is right and whose account may not
	 * be used: nobody's session for all else.  The text is its own. */
	struct refusal barred;
	char credential[64];
	struct token token; /* that proves it */
	/* What auth said last that a message of it may have; 0: nothing. */
	uint32_t most_rcpts;
	uint64_t most_size;
};

/*
 * A new client; greets it unless TLS comes first.
 *
 *   world  borrowed for the session's life
 *   out    borrowed; the owner sends from its front
 *   id     never 0, never used before
 *   ip     its address as text
 *   port   the one it connected to
 *   screen borrowed for the call; NULL: there are no rules
 */
void session_init(struct session *, const struct surroundings *world,
    struct buf *out, uint64_t id, const char *ip, unsigned port,
    bool implicit_tls, const struct msg_conn_verdict *screen);

/*
 * Eat from the n bytes that came in and were not eaten yet; returns how many
 * it took.  The rest is to be offered again, with what follows, after the next
 * call of any kind.  Secrets among the eaten ones are wiped.
 */
size_t session_input(struct session *, char *p, size_t n);

/* The answer to a request of this session; takes fd (or -1). */
void session_answer(struct session *, const struct msg *, int fd);

/* A neighbour died: answers that it owes will not come. */
void session_bereaved(struct session *, enum process);

/* The handshake succeeded; version is "TLSv1.3" or the like. */
void session_secured(struct session *, const char *version);

/* session_deadline() has passed. */
void session_timeout(struct session *);

/* End it: at once when idle, at the end of DATA otherwise. */
void session_part(struct session *, enum parting);

/* The client is gone.  Frees everything the session holds. */
void session_gone(struct session *);

enum wants session_wants(const struct session *);
int64_t session_deadline(const struct session *);

#endif
