/*
 * admin_check.h - are the accounts whole?
 */
#ifndef AUTH_ADMIN_CHECK_H
#define AUTH_ADMIN_CHECK_H

#include "auth/console.h"

/* Answers when it is over; other work goes on meanwhile. */
void admin_check(struct console *);

/* Remove the copy that a process left that died over it. */
void admin_check_sweep(void);

/* Whoever asked is gone. */
void admin_check_leave(const struct console *);
/* End it, if one is under way. */
void admin_check_stop(void);

#endif
