/*
 * messages_child.h - what the parent tells its children.
 */
#ifndef IPC_MESSAGES_CHILD_H
#define IPC_MESSAGES_CHILD_H

#include <stdint.h>

#include "lib/record.h"

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

struct msg_empty {
	uint32_t zero; /* nothing to say */
};

/* The parent checked who it is; the connection rides along. */
struct msg_ctl_client {
	uint32_t uid;
	uint32_t pid;
	char by[128]; /* "root", "anna": for admin.change and `by` columns */
};

#endif
