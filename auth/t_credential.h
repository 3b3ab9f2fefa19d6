/*
 * t_credential.h - table credential: login, label -> what proves it is them.
 */
#ifndef AUTH_T_CREDENTIAL_H
#define AUTH_T_CREDENTIAL_H

#include "auth/password.h"
#include "auth/scram_verifier.h"
#include "auth/store.h"

#define CREDENTIAL_PASSWORD "password" /* the label of the password */
#define CREDENTIALS_MAX     100        /* of one account, the password aside */

struct credential {
	uint32_t kind;            /* enum credential_kind */
	char hash[PASSWORD_HASH]; /* password.h; APP and KEY: SHA-256 in hex */
	char scram[SCRAM_VERIFIER]; /* scram_verifier.h; "" none */
	/* What it is good for; all of it empty or 0 for the password. */
	char networks[CREDENTIAL_NETWORKS]; /* "192.0.2.0/24 2001:db8::/32" */
	char senders[CREDENTIAL_SENDERS];   /* canonical grants and spaces */
	uint64_t limit[LIMITS];             /* by enum limit; 0 none */
	uint64_t expires;                   /* unix seconds; 0 never */
	uint64_t created;                   /* unix seconds; of this secret */
	uint64_t last_use;                  /* 0 never */
	char last_ip[46];
	char by[128]; /* who made it; "" unknown */
};

/* False when there is none. */
bool credential_get(
    struct txn *, const char *login, const char *label, struct credential *);
/* Overwrites; the whole row is the caller's. */
void credential_put(struct txn *, const char *login, const char *label,
    const struct credential *);
/* False when there was none. */
bool credential_del(struct txn *, const char *login, const char *label);
/* Delete every credential of an account. */
void credential_del_all(struct txn *, const char *login);

/* The credential that comes next behind (login, label), both replaced; label
 * "" starts with the first of that login, both "" with the first of all. */
bool credential_next(struct txn *, char login[ADDR_SIZE],
    char label[CREDENTIAL_LABEL], struct credential *);
/* How many an account has besides its password. */
size_t credential_count(struct txn *, const char *login);

/* Whose key this is (CREDENTIAL_KEY, by its hash); a key has one owner. */
bool credential_of_key(struct txn *, const char *hash, char login[ADDR_SIZE],
    char label[CREDENTIAL_LABEL]);

/* Write every row of format 1 or 2 anew. */
void credential_upgrade(struct txn *, unsigned from);

#endif
