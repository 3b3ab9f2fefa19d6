/*
 * exchange.h - logins of more than one message: SCRAM, and EXTERNAL with a
 * client certificate (MSG_SASL_STEP).
 *
 * Right and wrong ends are those of login.h: the throttle, the delay, the log.
 * An unknown name gets a salt of its own, the same each time, and is wrong in
 * the end.  4,096 exchanges are kept; who never goes on is forgotten.
 */
#ifndef AUTH_EXCHANGE_H
#define AUTH_EXCHANGE_H

#include "ipc/channel.h"

/* Answer a MSG_SASL_STEP on c, now or later. */
void exchange_step(struct channel *c, const struct msg *);

void exchange_close(void);

#endif
