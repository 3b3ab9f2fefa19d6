/*
 * credential.h - what commands about app passwords and about certificates
 * share.
 */
#ifndef CTL_CREDENTIAL_H
#define CTL_CREDENTIAL_H

#include "ctl/output.h"
#include "ipc/messages.h"

struct ctl;

/* Fill a question in from ADDRESS, LABEL and the flags of a scope.  CODE_OK,
 * or CODE_USAGE after saying what is wrong. */
int credential_ask(const struct ctl *, struct msg *);

/* Rows of an app password or a certificate, and of a login. */
#define CREDENTIAL_COLUMNS 18
extern const struct column credential_columns[CREDENTIAL_COLUMNS];
void credential_cells(
    const struct msg_credential_row *, struct cell[CREDENTIAL_COLUMNS]);
#define LOGIN_COLUMNS 5
extern const struct column login_columns[LOGIN_COLUMNS];
void login_cells(const struct msg_login_row *, struct cell[LOGIN_COLUMNS]);

/* Whole commands. */
int credential_list(struct ctl *, enum account_verb, const char *empty);
int credential_revoke(struct ctl *, enum account_verb);

#endif
