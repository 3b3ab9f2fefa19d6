/*
 * accounts.h - asking auth about accounts and grants, whether the server
 * runs or not.
 */
#ifndef CTL_ACCOUNTS_H
#define CTL_ACCOUNTS_H

#include "ctl/daemon.h"

struct ctl;

/* An empty question. */
struct msg accounts_ask(enum account_verb);

/*
 * Read the configuration, if that is not done yet, and open the line.
 * CODE_OK, or the reason is on stderr and there is nothing to close.
 */
int accounts_open(struct daemon *, struct ctl *);

/* Ask for one change, close the line, and say on stderr what was done. */
int accounts_change(struct daemon *, struct msg *);

/* After a change: a password that was made is the command's result. */
void accounts_show_secret(
    const struct ctl *, const struct msg_account_cmd *, bool made);

#endif
