/*
 * t_account.h - table account: login -> state and history.
 *
 * A removed account keeps its row, without credentials and grants, so that
 * the queue goes on holding its mail.  Adding it again brings it back.
 */
#ifndef AUTH_T_ACCOUNT_H
#define AUTH_T_ACCOUNT_H

#include "auth/store.h"

struct account {
	uint32_t state;   /* enum account_state */
	char reason[200]; /* of a suspension */
	char by[128];     /* who changed the state last */
	uint64_t since;   /* unix seconds of that */
	uint64_t created;
	uint32_t grown; /* it came from elsewhere: it is not new here */
};

/* False when there never was one; a removed one has its row. */
bool account_get(struct txn *, const char *login, struct account *);
/* Overwrites; the whole row is the caller's. */
void account_put(struct txn *, const char *login, const struct account *);

/* The account whose login comes next behind `login` ("" starts), which is
 * replaced.  False at the end. */
bool account_next(struct txn *, char login[ADDR_SIZE], struct account *);
/* The same among those that are not active. */
bool account_next_inactive(
    struct txn *, char login[ADDR_SIZE], enum account_state *);

/* Write every row of a format before 3 anew. */
void account_upgrade(struct txn *);

#endif
