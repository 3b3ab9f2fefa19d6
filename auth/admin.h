/*
 * admin.h - the commands about accounts and grants (enum account_verb).
 *
 * A change is on disk, in the log as admin.change, and known to smtpd and the
 * queue before its command is answered; the answer says how to undo it.
 */
#ifndef AUTH_ADMIN_H
#define AUTH_ADMIN_H

#include "auth/console.h"

/* Run con->cmd; ends in console_done(), now or later. */
void admin_run(struct console *);

#endif
