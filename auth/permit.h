/*
 * permit.h - what a logged-in client may send.
 *
 * Both checks look the account up again, so that a suspension or a grant
 * taken away counts from the next command on.  Refusals name the address and
 * the remedy.
 */
#ifndef AUTH_PERMIT_H
#define AUTH_PERMIT_H

#include "ipc/messages.h"

/* May the account use this envelope sender?  The null path is for any active
 * account: mail programs send disposition notices with it (RFC 8098 3). */
void permit_sender(const struct msg_sender_check *, struct msg_allowed *answer);

/*
 * May it submit this message: is each author granted, and do the recipients
 * fit the limits?  They are charged when the answer is V_OK, whatever becomes
 * of the message then.  now_s is of a clock that only grows.
 */
void permit_submit(const struct msg_submit_check *, uint32_t per_hour,
    uint32_t per_day, int64_t now_s, struct msg_allowed *answer);

#endif
