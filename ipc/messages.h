/*
 * messages.h - every message that crosses a process boundary.
 *
 * A message is one SOCK_SEQPACKET record: u16 version, u16 type, u64 tag, and
 * the fields of the struct below in the order messages.c lists them (the
 * codec is lib/record.h).  The structs hold no pointers but for bulk bytes,
 * which borrow from the record and are gone when the handler returns.
 *
 * The tag is the asker's: a session, a job, a command.  An answer echoes it.
 * A file descriptor may ride along; the rows of messages.c say where.
 *
 * To add a message: an enum value, a struct, a row in messages.c.  The version
 * follows from the rows, see msg_version().
 */
#ifndef IPC_MESSAGES_H
#define IPC_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record.h"

#define MSG_MAX (160 * 1024) /* bytes, header included */

#define ADDR_SIZE   324         /* an address as text with its NUL */
#define HASH_SIZE   384         /* a password hash as text with its NUL */
#define ADDED_MAX   4096        /* bytes of header lines in front of a body */
#define BODY_INLINE 65536       /* a body up to this size rides in the record */
#define RCPTS_MAX   (48 * 1024) /* bytes of a packed recipient list */
#define JOB_RCPTS   100         /* recipients in one job at most */
#define PARTS_MAX   (16 * 1024) /* bytes of a packed list of parts */
#define CONF_MAX    65536       /* bytes of configuration text */
#define BODY_HASH   32 /* bytes: SHA-256 of it, relaxed (RFC 6376 3.7) */
#define SELECTOR    64 /* of DKIM, as text with its NUL */

enum process {
	P_PARENT,
	P_SMTPD,
	P_AUTH,
	P_QUEUE,
	P_DELIVER,
	P_STS,
	P_CTL,
	P_COUNT
};
#define CREDENTIAL_LABEL    64  /* bytes, with the NUL */
#define CREDENTIAL_NETWORKS 320 /* of a list as text */
#define CREDENTIAL_SENDERS  400
enum verdict { V_OK, V_TEMP, V_PERM, V_COUNT }; /* 2yz, 4yz, 5yz */

enum msg_type {
	MSG_NONE,

	/* The parent and its children. */
	MSG_CONF,
	MSG_FILE,
	MSG_LISTEN,
	MSG_PEER,
	MSG_TICKET_KEYS,
	MSG_TOKEN_KEY,
	MSG_START,
	MSG_STOP,
	MSG_CTL_CLIENT,
	MSG_READY,

	/* smtpd and auth. */
	MSG_AUTH_CHECK,
	MSG_SASL_STEP,
	MSG_AUTH_RESULT,
	MSG_SENDER_CHECK,
	MSG_SUBMIT_CHECK,
	MSG_PERMIT_RETURN,
	MSG_SUBMIT_UNDO,
	MSG_ALLOWED,
	MSG_TLS_SIGN,
	MSG_TLS_SIGNED,

	/* auth tells smtpd and queue. */
	MSG_ACCOUNT_STATE,
	MSG_ACCOUNTS_DONE,
	MSG_SESSIONS_END,
	MSG_FROZEN,
	MSG_ACCOUNT_RESULTS,

	/* smtpd and deliver. */
	MSG_CONN_CHECK,
	MSG_CONN_VERDICT,

	/* smtpd and queue. */
	MSG_QUEUE_STATE,
	MSG_TX_RCPTS,
	MSG_TX_FILE,
	MSG_TX_FILE_LENT,
	MSG_TX_COMMIT,
	MSG_TX_RESULT,
	MSG_TX_ABORT,

	/* queue and deliver. */
	MSG_JOB,
	MSG_JOB_VERDICT,
	MSG_MARKS,
	MSG_MARKS_ARE,
	MSG_JOB_CONTACT, /* of a probe: its servers answer, it goes on */
	MSG_WIDTH,
	MSG_SITE_GET,
	MSG_SITE_IS,
	MSG_DOMAIN_GET,
	MSG_DOMAIN_IS,
	MSG_DOMAIN_PUT,
	MSG_TLS_SESSIONS,
	MSG_TLS_POST,
	MSG_TLS_POSTED,

	/* deliver and sts. */
	MSG_FETCH,
	MSG_FETCHED,

	/* deliver and auth. */
	MSG_ROUTE_SECRET,
	MSG_ROUTE_SECRET_IS,
	MSG_DKIM_KEYS,
	MSG_DKIM_KEYS_ARE,
	MSG_DKIM_SIGN,
	MSG_DKIM_SIGNED,
	MSG_DKIM_CHANGED,

	/* The operator's command, through the control socket. */
	MSG_CTL_OPEN,
	MSG_CTL_OPENED,
	MSG_STATUS,
	MSG_STATUS_ROW,
	MSG_METRICS,
	MSG_METRIC_ROW,
	MSG_TLS_RELOAD,
	MSG_KEY_ROW,
	MSG_ACCOUNT_CMD,
	MSG_ACCOUNT_ROW,
	MSG_GRANT_ROW,
	MSG_ITEM,
	MSG_ITEM_ROW,
	MSG_IMPORT_ROW,
	MSG_CREDENTIAL_ROW,
	MSG_ISSUED,
	MSG_LOGIN_ROW,
	MSG_LIMITS_ROW,
	MSG_QUEUE_CMD,
	MSG_QUEUE_ROW,
	MSG_RCPT_ROW,
	MSG_SHAPE_ROW,
	MSG_EVENT_ROW,
	MSG_SPOOL_MESSAGE,
	MSG_SPOOL_JOB,
	MSG_SPOOL_ANSWER,
	MSG_SPOOL_RCPT,
	MSG_SPOOL_BODY,
	MSG_RESTORE_MESSAGE, /* in the order of MSG_SPOOL_ */
	MSG_RESTORE_JOB,
	MSG_RESTORE_ANSWER,
	MSG_RESTORE_RCPT,
	MSG_RESTORE_BODY,
	MSG_DKIM_CMD,
	MSG_DKIM_ROW,
	MSG_DKIM_KEY,
	MSG_DKIM_KEEP,
	MSG_DNS_QUERY,
	MSG_DNS_ANSWER,
	MSG_RELAY_TEST,
	MSG_RELAY_ROW,
	MSG_CLIENT_TEST,
	MSG_CMD_DONE,

	MSG_TYPES
};

/* parent -> any child, and ctl -> an auth that it runs for one command. */
struct msg_conf {
	struct bytes text; /* the configuration file; already validated */
};

enum file_kind {
	FILE_TLS_CERT,     /* to smtpd and auth */
	FILE_TLS_KEY,      /* to auth only */
	FILE_ROUTE_SECRET, /* to auth only; name = the route's pattern */
	FILE_CA_BUNDLE,    /* to deliver and sts */
	FILE_TRUST_ANCHOR, /* to deliver; DNSSEC */
	FILE_KINDS
};

/* A file that the parent opened; the descriptor rides along, read-only. */
struct msg_file {
	uint32_t kind; /* enum file_kind */
	char name[300];
};

/* A bound, listening socket; the descriptor rides along. */
struct msg_listen {
	char name[64];     /* of its [listen NAME] section */
	uint32_t tls_mode; /* enum tls_mode */
	uint32_t port;
};

/*
 * One end of a socketpair to a neighbour; the descriptor rides along.  A new
 * one replaces the old one to the same (process, index) after a restart.
 */
struct msg_peer {
	uint32_t process; /* enum process */
	uint32_t index;   /* which smtpd; else 0 */
	uint32_t sign;    /* 1: the channel for MSG_TLS_SIGN only */
};

/* Session-ticket keys, newest first: 80 bytes each (name 16, hmac 32, aes 32). */
struct msg_ticket_keys {
	struct bytes keys;
};

/* For ipc/token.h. */
struct msg_token_key {
	uint64_t key[2];
};

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

struct msg_empty {
	uint32_t zero; /* nothing to say */
};

/* The parent checked who it is; the connection rides along. */
struct msg_ctl_client {
	uint32_t uid;
	uint32_t pid;
	char by[128]; /* "root", "anna": for admin.change and `by` columns */
};

/* smtpd -> auth: is this password right? */
struct msg_auth_check {
	char user[256];       /* as sent, UTF-8, not empty */
	char secret[256];     /* wiped by both ends after use */
	char ip[46];          /* client address as text */
	uint32_t port;        /* listening port, for the log */
	char tls[16];         /* "TLSv1.3" */
	char mech[20];        /* "PLAIN", "LOGIN" */
	uint32_t legacy;      /* at a listener for old devices */
	uint32_t screen;      /* enum screen_action */
	char certificate[65]; /* SHA-256 of the key the client has proved */
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
	uint32_t first;        /* it begins an exchange */
	uint32_t plus;         /* SCRAM-SHA-256-PLUS is on offer */
	char certificate[65];  /* SHA-256 of the key the client has proved */
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
	struct bytes challenge;            /* with code 334; not encoded */
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
	char key[65];     /* SHA-256 of the public key (SPKI DER), hex */
	uint32_t op;      /* enum sign_op */
	uint32_t padding; /* RSA: OpenSSL's RSA_*_PADDING */
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

/*
 * queue -> deliver: carry this to one destination.  The tag is the job.  Other
 * jobs of the message may come along (ipc/part.h); each has verdicts of its
 * own, which count recipients from its first one.  The
 * message is `added` followed by the body; a body over BODY_INLINE rides
 * along as a read-only descriptor (read with pread from offset 0).
 */
struct msg_job {
	uint64_t id;      /* of the message, for the log */
	uint32_t n;       /* of the job within it */
	uint32_t attempt; /* 1 is the first */
	uint32_t probe;   /* others wait to hear whether anybody answers */
	uint64_t dest;    /* whose width it is, a hash */
	uint32_t width;   /* connections it may have now, 0 any number */
	char domain[256]; /* what all recipients share */
	char account[ADDR_SIZE];
	char sender[ADDR_SIZE]; /* "" is the null path */
	uint32_t flags;         /* enum tx_flags */
	uint64_t size;          /* of the body */
	struct tx_options options;
	struct bytes rcpts;     /* packed, see ipc/rcpt.h; JOB_RCPTS at most */
	struct bytes parts;     /* packed, see ipc/part.h; empty as a rule */
	struct bytes added;     /* header lines in front of the body */
	struct bytes body_hash; /* as it came in MSG_TX_COMMIT */
	struct bytes body;
};

enum scope {
	SCOPE_RCPT, /* about these recipients or this message */
	SCOPE_DEST, /* the destination did not answer at all */
};

/* What a server that took the message does not do for its sender. */
enum relayed {
	RELAYED_NO_DSN = 1,       /* RFC 3461 5.2.2 */
	RELAYED_NO_DELIVERBY = 2, /* RFC 2852 4.1.4; a deadline was given */
};

/* What an answer, or that there was none, says of more than this mail. */
enum sign {
	SIGN_BUSY = 1,   /* a server said 421 */
	SIGN_SILENT = 2, /* the servers were asked, and nobody answered */
	SIGN_GREY = 4,   /* it looks like greylisting of these recipients */
};

#define SITE_SIZE 256

/*
 * deliver -> queue: what became of some recipients of a job, each exactly
 * once; `last` ends the job.
 */
struct msg_job_verdict {
	uint32_t verdict;
	uint32_t scope;     /* enum scope; when not V_OK */
	uint32_t code;      /* SMTP code, 0 when there was none */
	char status[12];    /* enhanced status, never empty */
	char mx[300];       /* "mx1.example.net[192.0.2.25]:25", "" none */
	char tls[16];       /* "TLSv1.3", "" in the clear */
	char cipher[40];    /* "TLS_AES_128_GCM_SHA256", "" in the clear */
	char policy[16];    /* "dane", "sts", "route", "requiretls",
			       "opportunistic", "none", "" no connection */
	char text[512];     /* the remote words, or ours */
	struct bytes rcpts; /* one byte an index into the job's list */
	uint32_t relayed;   /* enum relayed; when V_OK */
	uint32_t uncertain; /* it may have arrived all the same; when V_TEMP */
	uint32_t signs;     /* a set of enum sign */
	char site[SITE_SIZE]; /* whose servers were looked up, "" nobody's */
	uint32_t last;
};

/* deliver -> queue, in answer to MSG_MARKS, with which the file of ipc/marks.h
 * rides along.  No job is sent before. */
struct msg_marks_are {
	uint32_t ours; /* by this very process: it knows better what became */
};

/* queue -> deliver: a destination may have fewer connections than it was said
 * with the last job. */
struct msg_width {
	uint64_t dest;
	uint32_t width;
};

/* queue -> deliver: which servers take a domain's mail? */
struct msg_site_get {
	char domain[256];
};

/*
 * Domains with the same MX hosts have one site.  Its name is those hosts, or
 * as many as fit and a digest of all; "" when they could not be looked up, or
 * there are none.
 */
struct msg_site_is {
	char domain[256];
	char site[SITE_SIZE];
};

#define DOMAIN_MX_SIZE 4097 /* STS_MX_BYTES and a NUL */

/* deliver -> queue: what is known of a mail domain? */
struct msg_domain_get {
	char domain[256];
};

/*
 * queue -> deliver: this; all empty when it is nothing.  deliver -> queue:
 * this from now on.  Times are unix seconds, 0 never.
 */
struct msg_domain {
	char domain[256];
	char sts_id[33];   /* of its MTA-STS policy (RFC 8461), "" none */
	uint32_t sts_mode; /* enum sts_mode */
	char sts_mx[DOMAIN_MX_SIZE]; /* patterns, a space between */
	uint64_t sts_fetched, sts_expires;
	uint64_t seen_tls;  /* last: it took mail over TLS, */
	uint64_t seen_dane; /* authenticated by DANE, */
	uint64_t seen_sts;  /* by an MTA-STS policy in mode enforce */
};

#define FETCH_MAX 65536 /* bytes sent or received */

/*
 * deliver -> queue: how so many connections to one server of a domain that
 * asks for reports went (RFC 8460).
 */
struct msg_tls_sessions {
	char domain[256];
	char rua[1280];             /* where reports go, see mail/tlsrpt.h */
	uint32_t policy;            /* enum tlsrpt_policy */
	char lines[DOMAIN_MX_SIZE]; /* of the policy, LF between */
	uint32_t result;            /* enum tlsrpt_result */
	uint32_t sessions;
	char ip[46];  /* ours */
	char mx[256]; /* theirs; "" not known, as the next two */
	char mx_ip[46];
	char reason[160];
};

/* queue -> deliver: post a report to this https URL. */
struct msg_tls_post {
	char url[320];
	struct bytes body;
};

struct msg_tls_posted {
	uint32_t verdict;
	char text[200]; /* when not V_OK */
};

/* deliver -> sts: get https://HOST..., or with a body post it.  Names are
 * looked up by deliver, so sts needs no DNS. */
struct msg_fetch {
	char url[1024];
	char host[256]; /* that of the URL */
	uint32_t port;  /* likewise */
	char
	    addresses[400]; /* of the host, a comma between, IPv6 in brackets */
	char type[64];      /* of the body */
	struct bytes body;  /* empty: GET */
};

struct msg_fetched {
	uint32_t verdict;
	uint32_t code;        /* of HTTP, 0 none */
	uint32_t certificate; /* not V_OK because of the server's certificate */
	char text[200];       /* when not V_OK */
	char type[64];
	struct bytes body;
};

/* deliver -> auth: the password of a smarthost. */
struct msg_route_secret {
	char route[300]; /* of its [route NAME] */
};

struct msg_route_secret_is {
	uint32_t verdict;
	char secret[256];
};

/* deliver -> auth: which keys sign mail of this domain? */
struct msg_dkim_keys {
	char domain[256];
};

/* The keys in use; a name is "" where there is none. */
struct msg_dkim_keys_are {
	char domain[256]; /* d=: the one asked for, or the nearest above it */
	char ed25519[SELECTOR];
	char rsa[SELECTOR];
};

/* deliver -> auth: sign SHA-256 digests, each with the key named beside it. */
struct msg_dkim_sign {
	char domain[256];
	char ed25519[SELECTOR];
	char rsa[SELECTOR];
	struct bytes ed25519_digest; /* 32 bytes, or none */
	struct bytes rsa_digest;
};

struct msg_dkim_signed {
	uint32_t verdict; /* V_PERM: a key is not in use any more */
	struct bytes ed25519_signature;
	struct bytes rsa_signature;
};

enum service {
	SERVICE_PARENT,
	SERVICE_AUTH,
	SERVICE_QUEUE,
	SERVICE_DELIVER,
	SERVICE_SMTPD,
	SERVICE_COUNT
};

/* ctl -> parent: whom do I want to talk to?  The parent answers; after exit_code
 * 0 the connection is that process's.  These two are understood whatever the
 * version, so that one can be told of the other: never change them. */
struct msg_ctl_open {
	uint32_t service; /* enum service */
	uint32_t version; /* msg_version() */
	uint32_t index;   /* which smtpd */
};

struct msg_ctl_opened {
	uint32_t exit_code; /* enum code: CODE_OK, or why not */
	char text[200];
};

struct msg_status_row {
	char key[64];
	char value[300];
	uint32_t numeric; /* value is a number */
};

/* One number that a process counts; see lib/metric.h. */
struct msg_metric_row {
	uint32_t metric; /* enum metric */
	uint32_t part;   /* of a histogram */
	char label[3][24];
	uint64_t value;
};

enum account_verb {
	ACCOUNT_ADD, /* account, secret or "" to generate nothing */
	ACCOUNT_LIST,
	ACCOUNT_SHOW,
	ACCOUNT_PASSWD,
	ACCOUNT_SUSPEND, /* arg = reason */
	ACCOUNT_RESUME,
	ACCOUNT_REMOVE,
	ACCOUNT_TEST, /* secret; arg = client address, may be "" */
	GRANT_ADD,    /* arg = address or @domain */
	GRANT_LIST,   /* account "" = all */
	GRANT_REMOVE,
	ACCOUNT_IMPORT, /* what came as MSG_ITEM before; flags */
	ACCOUNT_EXPORT, /* answered with MSG_ITEM_ROW */
	ACCOUNT_LEGACY_ON,
	ACCOUNT_LEGACY_OFF,
	KEY_LIST,         /* the TLS keys: MSG_KEY_ROW */
	APP_PASSWORD_ADD, /* label and scope; MSG_ISSUED has the password */
	APP_PASSWORD_LIST,
	APP_PASSWORD_REVOKE, /* label */
	CERTIFICATE_ADD,     /* label and scope; arg = SHA-256 of the key */
	CERTIFICATE_ISSUE,   /* label and scope; MSG_ISSUED has the file */
	CERTIFICATE_LIST,
	CERTIFICATE_REVOKE, /* label */
	ACCOUNT_LOGINS,
	ACCOUNT_CHECK,  /* are the accounts whole? */
	ACCOUNT_LIMITS, /* answered with MSG_LIMITS_ROW */
	ACCOUNT_LIMIT,  /* limit */
	GUARD_EXPLAIN,  /* answered with MSG_STATUS_ROW */
	ACCOUNT_VERBS
};

enum import_flag {
	IMPORT_DRY_RUN = 1, /* only say what would be done */
	IMPORT_UPDATE = 2,  /* replace what is there already */
	IMPORT_KNOWN = 4, /* leave out grants of accounts that are not there */
	IMPORT_NEW = 8,   /* they are new, with the limits of such */
};

struct msg_account_cmd {
	uint32_t verb;
	char account[ADDR_SIZE];
	char arg[400];
	char secret[256];
	uint32_t flags; /* enum import_flag */
	/* A credential and its scope. */
	char label[CREDENTIAL_LABEL];
	char networks[CREDENTIAL_NETWORKS];
	char senders[CREDENTIAL_SENDERS];
	uint64_t expires; /* unix seconds; 0 never */
	/* By enum limit.  Of the account: 0 that of the server, or
	 * LIMIT_AS_IT_IS; of a credential: 0 none. */
	uint64_t limit[LIMITS];
};

/* What proves an account, and what may restrict it. */
enum credential_kind {
	CREDENTIAL_CRYPT, /* the password: a hash */
	CREDENTIAL_APP,   /* an app password */
	CREDENTIAL_KEY,   /* the key of a client certificate */
	CREDENTIAL_KINDS
};

enum item_kind { ITEM_ACCOUNT, ITEM_CREDENTIAL, ITEM_GRANT, ITEM_KINDS };

/*
 * One row of the store on its way in (MSG_ITEM) or out (MSG_ITEM_ROW):
 * for each account its own row, then its credentials and grants.  Only the
 * fields of its kind are set.
 */
struct msg_item {
	uint32_t item; /* enum item_kind */
	uint32_t line; /* of the file it is from; 0 none */
	char account[ADDR_SIZE];
	char name[ADDR_SIZE]; /* label of a credential, address of a grant */
	uint32_t state;       /* enum account_state */
	char reason[200];
	char by[128];     /* "" whoever imports */
	uint64_t since;   /* unix seconds; 0 now */
	uint64_t created; /* the same */
	uint32_t kind;    /* enum credential_kind */
	char hash[HASH_SIZE];
	char scram[224];
	char networks[CREDENTIAL_NETWORKS];
	char senders[CREDENTIAL_SENDERS];
	uint64_t expires;
	uint64_t last_use;
	char last_ip[46];
	uint32_t legacy; /* of an account: listeners for old devices, too */
	uint32_t grown;  /* of an account: it is not new, whatever its age */
	uint64_t limit[LIMITS]; /* its own; 0 the server's, or none */
};

/* What an import does, or would do, with one account or grant. */
struct msg_import_row {
	uint32_t line;
	char account[ADDR_SIZE];
	char address[ADDR_SIZE]; /* of a grant; "" an account */
	char action[16]; /* "add", "update", "exists", "left out", "refused" */
	char hash[24];   /* its kind; "" no password came */
	uint32_t weak;
	char why[200]; /* it is refused */
};

struct msg_credential_row {
	char account[ADDR_SIZE];
	char label[CREDENTIAL_LABEL];
	uint32_t kind; /* enum credential_kind */
	char networks[CREDENTIAL_NETWORKS];
	char senders[CREDENTIAL_SENDERS];
	uint64_t limit[LIMITS]; /* its own; 0 none */
	uint64_t used[LIMITS];  /* of those that are counted over a time */
	uint64_t expires;
	uint64_t created;
	char by[128];
	uint64_t last_use; /* 0 never */
	char last_ip[46];
	char key[65]; /* SHA-256 of a certificate's key, in hex */
};

/* What is told once: a generated password, and a file that it opens. */
struct msg_issued {
	char secret[256];
	struct bytes file; /* PKCS#12, or empty */
};

/* The newest first. */
struct msg_login_row {
	uint64_t time; /* unix seconds */
	char ip[46];
	char mech[20];
	char result[24]; /* "ok", or the reason= of auth.failed */
	char credential[CREDENTIAL_LABEL];
};

/* By enum limit. */
struct msg_limits_row {
	char account[ADDR_SIZE];
	uint64_t limit[LIMITS];
	uint64_t used[LIMITS]; /* of those that are counted over a time */
	uint32_t own;   /* bit set: the account's own, not the server's */
	uint32_t grown; /* bit set: it is, with another that it has */
	uint32_t young; /* the server's are halved for a new account */
};

struct msg_account_row {
	char account[ADDR_SIZE];
	uint32_t state; /* enum account_state */
	char reason[200];
	char by[128];
	uint64_t since; /* unix seconds of the last state change */
	uint64_t created;
	uint64_t last_login; /* 0 never */
	char last_ip[46];
	char hash[24];   /* "yescrypt", "sha512crypt", ... */
	uint32_t weak;   /* the hash is one to be upgraded */
	uint32_t legacy; /* may log in at listeners for old devices */
	uint32_t grants;
	uint32_t sent_hour;
	uint32_t sent_day;
};

struct msg_grant_row {
	char account[ADDR_SIZE];
	char address[ADDR_SIZE]; /* "@example.org": the whole domain */
	char by[128];
	uint64_t created;
};

/* auth -> ctl: what it has for a [tls] section; never the key itself. */
struct msg_key_row {
	char section[256]; /* "" is [tls] */
	char key[65];      /* tls_key_name() of the one it signs with, or "" */
	char type[16];     /* "RSA", "EC" */
	uint32_t bits;
	char error[160]; /* what is wrong with the file it got last, or "" */
};

enum queue_verb {
	QUEUE_LIST,  /* from `after` on, `limit` messages at most */
	QUEUE_SHOW,  /* id */
	QUEUE_RETRY, /* the selected, now */
	QUEUE_HOLD,
	QUEUE_RELEASE,
	QUEUE_REMOVE, /* without a bounce */
	QUEUE_STATUS,
	QUEUE_CHECK, /* is the spool whole? */
	QUEUE_TRACE, /* id, or text: a Message-ID or an address; since `after` */
	QUEUE_LOG,   /* events behind (`after`, `seq`), of id or account */
	QUEUE_BACKUP,  /* every message, as MSG_SPOOL_ rows */
	QUEUE_RESTORE, /* all MSG_RESTORE_ rows that came before are on disk */
	QUEUE_SHAPE,   /* how old what waits is, by domain, as MSG_SHAPE_ROWs */
	QUEUE_VERBS
};

/*
 * Selects by id; or by account, by sender and by recipient domain, as far as
 * they are set; or all.
 *
 *   sender  an address, "@" and a domain, or "<>"
 */
struct msg_queue_cmd {
	uint32_t verb;
	uint64_t id;
	uint32_t all;
	char account[ADDR_SIZE];
	char sender[ADDR_SIZE];
	char domain[256];
	uint64_t after; /* QUEUE_TRACE, QUEUE_LOG: unix milliseconds */
	uint64_t seq;
	uint32_t limit;
	uint32_t count_only; /* change nothing, tell how many */
	char text[ADDR_SIZE];
};

struct msg_queue_row {
	uint64_t id;
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	char sender[ADDR_SIZE];
	char msgid[256];
	uint64_t size;
	uint64_t accepted; /* unix milliseconds */
	uint32_t rcpts;    /* of the message */
	uint32_t waiting;  /* without a final verdict */
	uint32_t attempts;
	uint64_t next; /* unix milliseconds of the next attempt; 0 none */
	uint64_t
	    release;    /* unix milliseconds: its sender asked to hold it until
			   * then (RFC 4865); 0 not or not any more */
	uint32_t held;  /* 1 by an admin, 2 account suspended */
	char last[300]; /* last answer of a destination */
};

struct msg_rcpt_row {
	uint64_t id;
	char address[ADDR_SIZE];
	char domain[256];
	char state[16]; /* waiting, active, deferred, delivered, bounced, ... */
	uint32_t attempts;
	uint64_t next;
	char route[640]; /* of the next attempt: "[route *] via mx:25" */
	char last[512];
	/* Of a destination that does not answer, while it waits for that;
	 * times in unix milliseconds. */
	char dest[640];  /* "" it is not so, or not known */
	uint64_t silent; /* since when; 0 not */
	uint64_t probe;  /* when one attempt is made for all; 0 now */
};

/* Ages of messages: so old at most, or older than all of these. */
#define SHAPE_AGES 6
/* clang-format off */
#define SHAPE_BELOW_S { 300, 1200, 3600, 14400, 86400 }
/* clang-format on */

/*
 * Some of what waits for one domain: rows of one domain add up.  One row may
 * be told several times, for the queue is gone through piece by piece.
 */
struct msg_shape_row {
	char domain[256];
	uint64_t age[SHAPE_AGES]; /* recipients, by the age of their message */
	uint64_t held;            /* of those: by an admin */
	uint64_t when;            /* of the last answer, unix milliseconds */
	char last[512];
	/* As in msg_rcpt_row. */
	char dest[640];
	uint64_t silent, probe;
};

struct msg_event_row {
	uint64_t time; /* unix milliseconds */
	uint64_t id;
	char event[24]; /* accepted, delivered, deferred, bounced, ... */
	char account[ADDR_SIZE];
	char rcpt[ADDR_SIZE];
	char detail[600];
};

/*
 * A message that waits, as a backup has it: its own row, then for each job a
 * row, the answers that its recipients got, and the recipients; then the body
 * in pieces.  MSG_SPOOL_ is its way out, MSG_RESTORE_ the way in.
 */
struct msg_spool_message {
	uint64_t id;
	char account[ADDR_SIZE]; /* "": made by postern itself */
	char credential[CREDENTIAL_LABEL];
	char sender[ADDR_SIZE];
	char ip[46];
	uint32_t port;
	char tls[16];
	char mech[20];
	char msgid[256];
	uint32_t flags;    /* enum tx_flags */
	uint64_t size;     /* bytes of body */
	uint64_t accepted; /* unix milliseconds */
	uint32_t rcpts;    /* it ever had */
	uint32_t delivered;
	uint32_t bounced;
	uint32_t dropped;
	uint32_t held; /* by an admin */
	char envid[101];
	uint64_t hold_until; /* unix seconds; 0 none */
	uint64_t by;         /* unix milliseconds; 0 none */
	uint32_t priority;   /* 10 more than the value; 0 none */
	struct bytes added;  /* header lines in front of the body */
};

struct msg_spool_job {
	uint32_t n; /* counts up in a message, with gaps */
	char domain[256];
	uint32_t attempts;
	uint32_t noticed; /* a delay notice was sent */
	uint64_t due;     /* unix milliseconds of the next attempt; 0 none */
};

/* Numbered from 0 in each job. */
struct msg_spool_answer {
	uint32_t code;
	char status[12];
	char mx[300];
	char tls[80]; /* protocol, cipher, policy */
	char text[512];
	uint64_t when; /* unix milliseconds */
};

#define SPOOL_NO_ANSWER 0xff

struct msg_spool_rcpt {
	char address[ADDR_SIZE];
	char state[16];  /* "waiting", "delivered", "bounced", "dropped" */
	uint32_t answer; /* which of the job, or SPOOL_NO_ANSWER */
	uint32_t notify; /* enum rcpt_notify */
	char orcpt[501]; /* ORCPT_SIZE */
};

#define SPOOL_PIECE 65536

/* To ctl the descriptor of a large body rides along, instead of pieces. */
struct msg_spool_body {
	struct bytes piece;
	uint32_t last; /* the message is whole */
};

/* Kept in rows: append only. */
enum dkim_algorithm { DKIM_ED25519, DKIM_RSA, DKIM_ALGORITHMS };

/* Kept in rows: append only. */
enum dkim_state {
	DKIM_PENDING,  /* made, to be published, does not sign yet */
	DKIM_ACTIVE,   /* signs */
	DKIM_RETIRING, /* signs no more; mail on its way still refers to it */
	DKIM_STATES
};

enum dkim_verb {
	DKIM_LIST,    /* domain "" = all */
	DKIM_ADD,     /* the first keys of a domain, which sign at once */
	DKIM_PREPARE, /* new keys beside those that sign */
	DKIM_SWITCH,  /* pending ones sign from now on, active ones retire */
	DKIM_RETIRE,  /* retiring ones are removed */
	DKIM_REMOVE,  /* all of them are */
	DKIM_EXPORT,  /* to root: MSG_DKIM_KEY for each */
	DKIM_VERBS
};

/* Answered by the rows it is about, and MSG_CMD_DONE. */
struct msg_dkim_cmd {
	uint32_t verb;
	char domain[256];
	uint32_t force; /* DKIM_RETIRE: those not long out of use too */
	uint32_t kinds; /* DKIM_ADD: set of 1 << enum dkim_algorithm; 0 all */
};

struct msg_dkim_row {
	char domain[256];
	char selector[SELECTOR];
	uint32_t algorithm; /* enum dkim_algorithm */
	uint32_t state;     /* enum dkim_state */
	uint64_t created;   /* unix seconds */
	uint64_t changed;   /* of the state */
	char by[128];
	char key[600]; /* public, as p= has it */
};

/* auth -> ctl, for DKIM_EXPORT: a key with its secret.  ctl -> auth, as
 * MSG_DKIM_KEEP: keep it, answered by MSG_CMD_DONE. */
struct msg_dkim_key {
	char domain[256];
	char selector[SELECTOR];
	uint32_t algorithm; /* enum dkim_algorithm */
	uint32_t state;     /* enum dkim_state */
	uint64_t created;   /* unix seconds */
	uint64_t changed;   /* of the state */
	char by[128];
	char secret[1720]; /* PKCS #8, DER, base64 */
};

enum dns_result {
	DNS_FOUND,   /* one record at least */
	DNS_NOTHING, /* the name exists and has no such record */
	DNS_NO_NAME, /* NXDOMAIN */
	DNS_BOGUS,   /* ask later: it contradicts DNSSEC; logged */
	DNS_FAILED,  /* ask later: no answer, SERVFAIL */
};

/* ctl -> deliver: how far would a mail come?  Answered by status rows about
 * the domain and a MSG_RELAY_ROW for each server. */
struct msg_relay_test {
	char target[ADDR_SIZE]; /* an address, or a domain */
	/* Whose mail, for the route that it takes; "" a notice of our own. */
	char account[ADDR_SIZE];
	char sender[ADDR_SIZE];
};

struct msg_relay_row {
	char host[256];
	char mx[300];     /* with address and port */
	char dane[16];    /* "usable", "unusable", "none", "failed" */
	char sts[16];     /* "listed", "not listed", "" no policy */
	char policy[16];  /* that decides, as in MSG_JOB_VERDICT */
	uint32_t verdict; /* of the conversation up to RCPT */
	uint32_t code;
	char status[12];
	char text[512];
	char tls[16];
	char cipher[40];
	char certificate[160]; /* what is wrong with it, "" nothing */
	char offers[200];      /* keywords of EHLO, a space between */
};

/* ctl -> deliver: what does DNS say?  Answered by one MSG_DNS_ANSWER and
 * MSG_CMD_DONE. */
struct msg_dns_query {
	char name[256];
	uint32_t type; /* as RFC 1035 numbers it: 1 A, 16 TXT, ... */
};

struct msg_dns_answer {
	uint32_t result;      /* enum dns_result */
	uint32_t secure;      /* validated */
	struct bytes records; /* packed: each as text, see deliver/rdata.h */
};

struct msg_cmd_done {
	uint32_t exit_code; /* enum code */
	uint32_t more;      /* QUEUE_LIST: there is more behind `next` */
	uint64_t next;
	uint64_t next_seq; /* QUEUE_LOG: go on at (`next`, `next_seq`) */
	uint64_t count;    /* how many were changed or would be */
	char text[600];    /* one sentence for the operator */
};

struct msg {
	enum msg_type type;
	uint64_t tag;
	union {
		struct msg_conf conf;
		struct msg_file file;
		struct msg_listen listen;
		struct msg_peer peer;
		struct msg_ticket_keys ticket_keys;
		struct msg_token_key token_key;
		struct msg_empty empty;
		struct msg_ctl_client ctl_client;
		struct msg_auth_check auth_check;
		struct msg_sasl_step sasl_step;
		struct msg_auth_result auth_result;
		struct msg_sender_check sender_check;
		struct msg_submit_check submit_check;
		struct msg_permit_return permit_return;
		struct msg_submit_undo submit_undo;
		struct msg_allowed allowed;
		struct msg_tls_sign tls_sign;
		struct msg_tls_signed tls_signed;
		struct msg_account_state account_state;
		struct msg_sessions_end sessions_end;
		struct msg_frozen frozen;
		struct msg_account_results account_results;
		struct msg_conn_check conn_check;
		struct msg_conn_verdict conn_verdict;
		struct msg_queue_state queue_state;
		struct msg_tx_rcpts tx_rcpts;
		struct msg_tx_file tx_file;
		struct msg_tx_file_lent tx_file_lent;
		struct msg_tx_commit tx_commit;
		struct msg_tx_result tx_result;
		struct msg_job job;
		struct msg_job_verdict job_verdict;
		struct msg_marks_are marks_are;
		struct msg_width width;
		struct msg_site_get site_get;
		struct msg_site_is site_is;
		struct msg_domain_get domain_get;
		struct msg_domain domain;
		struct msg_tls_sessions tls_sessions;
		struct msg_tls_post tls_post;
		struct msg_tls_posted tls_posted;
		struct msg_fetch fetch;
		struct msg_fetched fetched;
		struct msg_route_secret route_secret;
		struct msg_route_secret_is route_secret_is;
		struct msg_dkim_keys dkim_keys;
		struct msg_dkim_keys_are dkim_keys_are;
		struct msg_dkim_sign dkim_sign;
		struct msg_dkim_signed dkim_signed;
		struct msg_ctl_open ctl_open;
		struct msg_ctl_opened ctl_opened;
		struct msg_status_row status_row;
		struct msg_metric_row metric_row;
		struct msg_account_cmd account_cmd;
		struct msg_limits_row limits_row;
		struct msg_account_row account_row;
		struct msg_grant_row grant_row;
		struct msg_item item;
		struct msg_import_row import_row;
		struct msg_key_row key_row;
		struct msg_credential_row credential_row;
		struct msg_issued issued;
		struct msg_login_row login_row;
		struct msg_queue_cmd queue_cmd;
		struct msg_queue_row queue_row;
		struct msg_rcpt_row rcpt_row;
		struct msg_shape_row shape_row;
		struct msg_event_row event_row;
		struct msg_dkim_cmd dkim_cmd;
		struct msg_dkim_row dkim_row;
		struct msg_relay_test relay_test;
		struct msg_relay_row relay_row;
		struct msg_dkim_key dkim_key;
		struct msg_spool_message spool_message;
		struct msg_spool_job spool_job;
		struct msg_spool_answer spool_answer;
		struct msg_spool_rcpt spool_rcpt;
		struct msg_spool_body spool_body;
		struct msg_dns_query dns_query;
		struct msg_dns_answer dns_answer;
		struct msg_cmd_done cmd_done;
	} u;
};

/*
 * Encode m into out[size], size at least MSG_MAX.  Returns the length; 0 when
 * a bulk field is over its bound, which is the caller's bug.
 */
size_t msg_encode(const struct msg *m, uint8_t *out, size_t size);

/*
 * Decode one record of len bytes; bulk fields borrow from `in`.  False, with
 * *m unspecified, when the version, type, length or any field is out of
 * bounds.  Enumerations are for the receiver to check.
 */
bool msg_decode(struct msg *m, const uint8_t *in, size_t len);

/*
 * A digest of the program's version and of all that messages.c says of each
 * message: who knows another one is of another build, and what it says is not
 * understood.  Never 0.
 */
uint16_t msg_version(void);
/* Is this record of our version? */
bool msg_is_ours(const uint8_t *in, size_t len);

/* Whether process `from` may send this type to process `to`. */
bool msg_allowed(enum msg_type, enum process from, enum process to);

/* Whether a descriptor may ride with this type. */
bool msg_carries_fd(enum msg_type);

/* Whether it holds a password or a key: both ends wipe its record. */
bool msg_is_secret(enum msg_type);

enum msg_type msg_answer_to(enum msg_type); /* MSG_NONE if unanswered */
const char *msg_name(enum msg_type);
const char *process_name(enum process);
/* P_COUNT when there is no such service. */
enum process service_owner(uint32_t service);

/* For generic tests. */
const struct field *msg_fields(enum msg_type, size_t *struct_size);

#endif
