/*
 * t_credential.h - table credential: login, label -> what proves it is them.
 */
#ifndef AUTH_T_CREDENTIAL_H
#define AUTH_T_CREDENTIAL_H

#include "auth/password.h"
#include "auth/store.h"

#define CREDENTIAL_LABEL    64
#define CREDENTIAL_PASSWORD "password" /* the label of the password */

enum credential_kind { CREDENTIAL_CRYPT };

struct credential {
	uint32_t kind;            /* enum credential_kind */
	char hash[PASSWORD_HASH]; /* crypt(3) string */
	uint64_t created;         /* unix seconds; of this secret */
	uint64_t last_use;        /* 0 never */
	char last_ip[46];
};

bool credential_get(
    struct txn *, const char *login, const char *label, struct credential *);
/* Overwrites; the whole row is the caller's. */
void credential_put(struct txn *, const char *login, const char *label,
    const struct credential *);
/* Delete every credential of an account. */
void credential_del_all(struct txn *, const char *login);

#endif
