/*
 * admin_list.h - the commands that only look: accounts and grants as rows.
 */
#ifndef AUTH_ADMIN_LIST_H
#define AUTH_ADMIN_LIST_H

#include "auth/console.h"

/* Every account but the removed ones, in order. */
void admin_list_accounts(struct console *);
/* Of con->login, or all when that is "". */
void admin_list_grants(struct console *);
/* The account and then its grants. */
void admin_show_account(struct console *);
void admin_list_keys(struct console *); /* of TLS */

#endif
