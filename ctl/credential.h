/*
 * credential.h - what commands about app passwords and about certificates
 * share.
 */
#ifndef CTL_CREDENTIAL_H
#define CTL_CREDENTIAL_H

#include "ipc/messages.h"

struct ctl;

/* Fill a question in from ADDRESS, LABEL and the flags of a scope.  CODE_OK,
 * or CODE_USAGE after saying what is wrong. */
int credential_ask(const struct ctl *, struct msg *);

/* Whole commands. */
int credential_list(struct ctl *, enum account_verb, const char *empty);
int credential_revoke(struct ctl *, enum account_verb);

#endif
