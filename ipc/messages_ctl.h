/*
 * messages_ctl.h - how the operator's command begins and ends, and what it asks
 * about numbers, DKIM, routes and DNS.
 */
#ifndef IPC_MESSAGES_CTL_H
#define IPC_MESSAGES_CTL_H

#include <stdint.h>

#include "ipc/sizes.h"
#include "lib/record.h"

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

#endif
