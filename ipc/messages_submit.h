/*
 * messages_submit.h - what smtpd says and hears while it takes a message, and
 * what auth and queue tell each other about accounts.
 */
#ifndef IPC_MESSAGES_SUBMIT_H
#define IPC_MESSAGES_SUBMIT_H

#include <stdint.h>

#include "ipc/sizes.h"
#include "lib/record.h"
#include "lib/sha256.h"

/* The proof of a login, see ipc/token.h; all zero there is none. */
struct token {
	uint64_t when; /* loop_now_ms() */
	uint64_t mac[2];
};

/* What auth allowed one message to be, see ipc/token.h. */
struct permit {
	uint64_t serial; /* one for each, growing */
	uint64_t when;   /* loop_now_ms() */
	uint64_t size;   /* at most; 0 whatever the server takes */
	uint32_t rcpts;  /* at most */
	uint64_t mac[2];
};

/* smtpd -> auth: is this password right? */
struct msg_auth_check {
	char user[256];   /* as sent, UTF-8, not empty */
	char secret[256]; /* wiped by both ends after use */
	char ip[46];      /* client address as text */
	uint32_t port;    /* listening port, for the log */
	char tls[16];     /* "TLSv1.3" */
	char mech[20];    /* "PLAIN", "LOGIN" */
	uint32_t legacy;  /* at a listener for old devices */
	uint32_t screen;  /* enum screen_action */
	char certificate
	    [SHA256_HEX]; /* SHA-256 of the key the client has proved */
};

/*
 * smtpd -> auth: one message of a client in SCRAM or EXTERNAL (RFC 5802, RFC
 * 4422).  smtpd understands none of it; auth knows the exchange by its tag.
 */
struct msg_sasl_step {
	char mech[20];
	char ip[46];
	uint32_t port;
	char tls[16];
	uint32_t legacy; /* as above */
	uint32_t screen;
	uint32_t first; /* it begins an exchange */
	uint32_t plus;  /* SCRAM-SHA-256-PLUS is on offer */
	char certificate
	    [SHA256_HEX];      /* SHA-256 of the key the client has proved */
	struct bytes exporter; /* channel binding: RFC 9266 */
	struct bytes endpoint; /* RFC 5929 4 */
	struct bytes response; /* decoded */
};

/* The reply to give is the decider's: code, status and text. */
struct msg_auth_result {
	uint32_t verdict;                  /* enum verdict */
	uint32_t code;                     /* 235, 454, 535, ... */
	char status[12];                   /* "2.7.0" */
	char text[400];                    /* names who, and the remedy */
	char account[ADDR_SIZE];           /* canonical login when V_OK */
	char credential[CREDENTIAL_LABEL]; /* label of what was proved */
	struct token token;                /* when V_OK */
	uint32_t rcpts; /* of a message, when V_OK: as in msg_allowed */
	uint64_t size;
	struct bytes challenge; /* with code 334; not encoded */
};

/* smtpd -> auth: may the account use this envelope sender? */
struct msg_sender_check {
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	struct token token;
	char sender[ADDR_SIZE]; /* canonical; "" is the null path */
};

/* What an account is held to; each has a number of its own or the server's. */
enum limit {
	LIMIT_RECIPIENTS, /* of a message */
	LIMIT_SIZE,       /* of a message, bytes */
	LIMIT_HOUR,       /* recipients an hour */
	LIMIT_DAY,
	LIMIT_MESSAGES_HOUR,
	LIMIT_MESSAGES_DAY,
	LIMIT_NEW, /* recipients a day that it never wrote to before */
	LIMITS
};

/* Of a recipient: the first bytes of the SHA-256 of its address in lower case,
 * so that nobody finds another address with the same one. */
#define RCPT_HASH      8
#define RCPT_HASHES    2000       /* of one message at most */
#define LIMIT_AS_IT_IS UINT64_MAX /* in a command */
#define LIMIT_HIGHEST  ((uint64_t)1 << 40)

/*
 * smtpd -> auth: may it submit this message?  Charged against the account's
 * limits when the answer is V_OK.
 */
struct msg_submit_check {
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	struct token token;
	char sender[ADDR_SIZE]; /* looked at again */
	char ip[46];            /* of the client */
	struct bytes authors;   /* packed: From: mailboxes and Sender: */
	uint32_t rcpts;
	struct bytes hashes; /* RCPT_HASH bytes of each, of RCPT_HASHES */
};

/* smtpd -> queue: the message that this permit was for will not come. */
struct msg_permit_return {
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	char sender[ADDR_SIZE];
	struct permit permit;
};

/* queue -> auth: the message that was charged for was not taken, and its
 * permit is good for nothing any more. */
struct msg_submit_undo {
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	uint32_t rcpts;
};

struct msg_allowed {
	uint32_t verdict;
	uint32_t code;
	char status[12];
	char text[400]; /* names the address or the limit, and the remedy */
	/* To MSG_SENDER_CHECK, when V_OK: what this message may have. */
	uint32_t rcpts;
	uint64_t size;
	/* To MSG_SUBMIT_CHECK, when V_OK. */
	struct permit permit;
};

/* smtpd -> auth, on the channel of its own: one private-key operation. */
enum sign_op { SIGN_RSA_PRIVATE, SIGN_ECDSA };

struct msg_tls_sign {
	char key[SHA256_HEX]; /* tls_key_name() */
	uint32_t op;          /* enum sign_op */
	uint32_t padding;     /* RSA: OpenSSL's RSA_*_PADDING */
	struct bytes data;
};

struct msg_tls_signed {
	uint32_t verdict;
	struct bytes signature;
};

enum account_state { ACC_ACTIVE, ACC_SUSPENDED, ACC_REMOVED, ACC_STATES };

/* auth -> smtpd, queue: at the start for every account that is not active
 * (ended by MSG_ACCOUNTS_DONE), then at each change. */
struct msg_account_state {
	char account[ADDR_SIZE];
	uint32_t state; /* enum account_state */
};

/* auth -> smtpd: what this account proved is not true any more; whoever goes
 * on must log in again. */
struct msg_sessions_end {
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL]; /* "" whatever it was */
};

/* auth -> queue: the guard froze this account; tell those who must know. */
struct msg_frozen {
	char account[ADDR_SIZE];
	char text[200]; /* the evidence */
};

/* queue -> auth: what became of recipients of an account, since the last. */
struct msg_account_results {
	char account[ADDR_SIZE];
	uint32_t delivered;
	uint32_t refused; /* for good */
};

/*
 * smtpd -> deliver: what do the rules of [screen] say of this client?  ctl
 * asks the same as MSG_CLIENT_TEST.
 */
struct msg_conn_check {
	char ip[46];
};

struct msg_conn_verdict {
	uint32_t action; /* enum screen_action */
	uint32_t line;   /* of the rule; 0 none matched */
	uint32_t unsure; /* a rule before it might match: no answer in time */
	char text[200];  /* for the client; "" nothing */
	char rule[400];  /* as the configuration has it */
	char found[400]; /* what was learnt of the address */
};

/* queue -> smtpd: whether new mail is taken. */
struct msg_queue_state {
	uint32_t accepting;
	char text[160]; /* when not */
};

/* smtpd -> queue: recipients of a transaction ahead of its commit, when they
 * do not fit into it. */
struct msg_tx_rcpts {
	struct bytes rcpts; /* packed, see ipc/rcpt.h */
};

/* smtpd -> queue: the body outgrew BODY_INLINE; lend me a file. */
struct msg_tx_file {
	uint64_t size; /* expected bytes, 0 unknown */
};

/* An unlinked file rides along when V_OK. */
struct msg_tx_file_lent {
	uint32_t verdict;
	uint32_t code;
	char status[12];
	char text[160];
};

/* Kept in rows: append only. */
enum tx_flags {
	TX_8BIT = 1,           /* the body holds bytes over 127 */
	TX_ADD_DATE = 2,       /* the header lacks Date: */
	TX_ADD_MSGID = 4,      /* the header lacks Message-ID: */
	TX_IN_FILE = 8,        /* the body is in the file lent before */
	TX_BOUNCE = 16,        /* made by postern itself */
	TX_SMTPUTF8 = 32,      /* the client said so (RFC 6531) */
	TX_UTF8_HEADER = 64,   /* the header holds bytes over 127 */
	TX_BINARY = 128,       /* BODY=BINARYMIME (RFC 3030) */
	TX_REQUIRETLS = 256,   /* RFC 8689 2 */
	TX_TLS_OPTIONAL = 512, /* "TLS-Required: No" (RFC 8689 3) */
	TX_RET_FULL = 1024,    /* RFC 3461 4.3; neither: not given */
	TX_RET_HDRS = 2048,
	TX_ADD_SENDER = 4096, /* Sender: with the envelope sender */
	TX_BY_RETURN = 8192,  /* DELIVERBY mode R (RFC 2852) */
	TX_BY_NOTIFY = 16384, /* mode N */
	TX_BY_TRACE = 32768,  /* with the trace modifier */
};

/*
 * What a client may say of a message beyond its sender; all zero when it said
 * nothing.  Each is in its range already when it comes from smtpd, and is
 * checked again by the queue.
 */
struct tx_options {
	char envid[101];     /* RFC 3461 4.4, decoded; "" none */
	uint64_t hold_until; /* unix seconds (RFC 4865); 0 none */
	uint64_t by;         /* unix milliseconds of the TX_BY_ deadline */
	uint32_t priority;   /* RFC 6710: 10 more than the value; 0 none */
};

/* smtpd -> queue: take responsibility (RFC 5321 6.1). */
struct msg_tx_commit {
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	char sender[ADDR_SIZE]; /* canonical; "" is the null path */
	struct permit permit;   /* for all of these, and rcpts and size */
	char ip[46];
	uint32_t port;
	char tls[16];
	char mech[20];
	char with[20];   /* RFC 3848 keyword for Received: */
	char msgid[256]; /* Message-ID: of the message, "" unknown */
	uint32_t flags;  /* enum tx_flags */
	uint64_t size;   /* bytes of body */
	struct tx_options options;
	struct bytes rcpts;     /* packed, see ipc/rcpt.h */
	struct bytes body_hash; /* BODY_HASH bytes, or none */
	struct bytes body;      /* empty when TX_IN_FILE */
};

struct msg_tx_result {
	uint32_t verdict;
	uint64_t id; /* when V_OK */
	uint32_t code;
	char status[12];
	char text[160];
};

#endif
