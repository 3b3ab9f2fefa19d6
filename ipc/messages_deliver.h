/*
 * messages_deliver.h - what queue and deliver say while a message leaves, and
 * what deliver asks of auth and sts for it.
 */
#ifndef IPC_MESSAGES_DELIVER_H
#define IPC_MESSAGES_DELIVER_H

#include <stdint.h>

#include "ipc/messages_submit.h"
#include "ipc/sizes.h"
#include "lib/record.h"

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
	uint64_t seal;    /* of both, for the mark (ipc/marks.h) */
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

#endif
