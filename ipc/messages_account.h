/*
 * messages_account.h - the operator's commands about accounts, and their rows.
 */
#ifndef IPC_MESSAGES_ACCOUNT_H
#define IPC_MESSAGES_ACCOUNT_H

#include <stdint.h>

#include "ipc/messages_submit.h"
#include "ipc/sizes.h"
#include "lib/record.h"
#include "lib/sha256.h"

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
	char key[SHA256_HEX]; /* SHA-256 of a certificate's key, in hex */
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
	char key
	    [SHA256_HEX]; /* tls_key_name() of the one it signs with, or "" */
	char type[16];    /* "RSA", "EC" */
	uint32_t bits;
	char error[160]; /* what is wrong with the file it got last, or "" */
};

#endif
