/*
 * admin_list.h - the commands that only look: accounts and grants as rows.
 */
#ifndef AUTH_ADMIN_LIST_H
#define AUTH_ADMIN_LIST_H

#include "auth/operator.h"

/* Every account but the removed ones, in order. */
void admin_list_accounts(struct operator*);
/* Of op->login, or all when that is "". */
void admin_list_grants(struct operator*);
/* The account and then its grants. */
void admin_show_account(struct operator*);

#endif
