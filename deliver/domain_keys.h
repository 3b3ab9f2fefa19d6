/*
 * domain_keys.h - what auth has told about the keys of domains, until it says
 * that they have changed.
 */
#ifndef DELIVER_DOMAIN_KEYS_H
#define DELIVER_DOMAIN_KEYS_H

#include "ipc/messages.h"

/* NULL: not known.  Valid until the next call of this file. */
const struct msg_dkim_keys_are *domain_keys_find(const char *domain);
void domain_keys_learn(const char *domain, const struct msg_dkim_keys_are *);
/* Nothing is known any more. */
void domain_keys_forget(void);

/* Mail of this domain leaves without a signature: say so once an hour. */
void domain_keys_lack(const char *domain);

#endif
