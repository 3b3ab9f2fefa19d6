/*
 * book.h - what logins and messages ask about accounts, kept in memory.
 *
 * A page of the book is read from the store when it is first asked for and
 * dropped when the account changes (accounts.c).  This process is the only
 * writer of the store, so a page is never stale.  The least recently used
 * pages are forgotten.
 */
#ifndef AUTH_BOOK_H
#define AUTH_BOOK_H

#include "auth/t_credential.h"
#include "ipc/messages.h"
#include "mail/address.h"

/* A credential besides the password. */
struct card {
	char label[CREDENTIAL_LABEL];
	struct credential c;
};

struct page {
	char login[ADDR_SIZE];
	enum account_state state;
	char hash[PASSWORD_HASH]; /* "" without a password */
	uint64_t limit[LIMITS];   /* its own; 0 the server's */
	uint64_t created;         /* unix seconds */
	bool grown;               /* it came from elsewhere */
	bool legacy;              /* may use listeners for old devices */
	char scram[SCRAM_VERIFIER];
	char
	    seen_ip[46]; /* of the last login that was known when it was read */
	struct card *cards;
	size_t ncards;
	uint8_t *grants; /* packed (list_next) canonical texts */
	size_t grants_len, ngrants;
};

/* The page of a canonical login, or NULL when there is no such account.
 * Good until the next call of this file. */
const struct page *book_find(const char *login);
void book_forget(const char *login);
void book_close(void);

/* The credential of this label besides the password, or NULL. */
const struct card *page_card(const struct page *, const char *label);

/* Does one of its grants cover this address (address_matches())? */
bool page_covers(const struct page *, const struct address *);

#endif
