/*
 * vault.h - the auth process: accounts, credentials, keys, grants, limits.
 *
 * It touches no network.  Everything it is asked comes over channels from
 * smtpd, deliver and the operator, and the store is open here only.
 */
#ifndef AUTH_VAULT_H
#define AUTH_VAULT_H

#include "ipc/child.h"

extern const struct child vault;

/* After it has ended: was it to be started anew, because there is room now? */
bool vault_again(void);

#endif
