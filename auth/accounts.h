/*
 * accounts.h - every change of an account, each one transaction.
 *
 * When a function here returns CHANGE_DONE the change is on disk and the book
 * knows it.  Logins and grants are canonical (login_name.h).  Nothing is
 * logged: whoever asked knows how to say it.
 */
#ifndef AUTH_ACCOUNTS_H
#define AUTH_ACCOUNTS_H

#include "auth/t_account.h"
#include "auth/t_credential.h"

#define GRANTS_MAX 1000 /* of one account */

struct change {
	const char *login;
	const char *typed; /* accounts_add(): another spelling of it, or NULL */
	const char *by;
	const char *hash;     /* crypt(3) string; "" no password */
	const char *scram;    /* verifier of the same; "" or NULL none */
	const char *old_hash; /* accounts_upgrade(): what it replaces */
	const char *reason;   /* accounts_suspend() */
	const char *address;  /* accounts_grant(), accounts_revoke() */
	const char *label;    /* of the credential that it is about */
	const struct credential *credential; /* accounts_credential() */
	const uint64_t *limit;    /* accounts_limits(): by enum limit */
	struct account account;   /* out: as it was before, when it was there */
	enum account_state state; /* out: as it is now */
	char owner[ADDR_SIZE];    /* out: whose it is already */
};

enum change_result {
	CHANGE_DONE,
	CHANGE_NONE,    /* it is so already; nothing was written */
	CHANGE_ABSENT,  /* no such account; removed ones count as none */
	CHANGE_NOTHING, /* the account has no such grant or credential */
	CHANGE_EXISTS,
	CHANGE_TAKEN, /* the key is the owner's */
	CHANGE_TOO_MANY,
	CHANGE_NO_ROOM, /* the disk is full */
	CHANGE_RESULTS
};

/*
 * The account that a canonical login means: itself when it is there, else the
 * one that has or will have the name's one spelling (login_spell()).  But one
 * that was removed is meant, and can be brought back by the name that its mail
 * has, while nobody has that spelling.
 */
void accounts_name(char out[ADDR_SIZE], const char *login);

/* An active account with a grant of its own address, and of that as it was
 * typed: what mail programs are given as sender.  A removed one comes
 * back: then account.state tells ACC_REMOVED, otherwise ACC_ACTIVE. */
enum change_result accounts_add(struct change *);
enum change_result accounts_passwd(struct change *);
/* hash replaces old_hash: both are of the same secret.  CHANGE_NONE when the
 * credential has another hash by now. */
enum change_result accounts_upgrade(struct change *);
enum change_result accounts_suspend(struct change *);
enum change_result accounts_resume(struct change *);
/* Credentials and grants go; the row stays as ACC_REMOVED. */
enum change_result accounts_remove(struct change *);
/* Whether it may log in at listeners for old devices. */
enum change_result accounts_legacy_on(struct change *);
enum change_result accounts_legacy_off(struct change *);
/* Its own limits; 0 is the server's, LIMIT_AS_IT_IS changes nothing. */
enum change_result accounts_limits(struct change *);
enum change_result accounts_grant(struct change *);
enum change_result accounts_revoke(struct change *);
/* A new credential with that label; of a key nobody has yet. */
enum change_result accounts_credential(struct change *);
/* Delete the credential of that label, if it is of credential->kind. */
enum change_result accounts_credential_revoke(struct change *);

#endif
