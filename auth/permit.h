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
#include "lib/conf.h"

/* May the account use this envelope sender?  The null path is for any active
 * account: mail programs send disposition notices with it (RFC 8098 3). */
void permit_sender(const struct msg_sender_check *, const struct conf *,
    struct msg_allowed *answer);

/*
 * May it submit this message: are sender and each author granted, and do the
 * recipients fit the limits?  They are charged when the answer is V_OK, and
 * the permit for it is there but for its seal.
 */
void permit_submit(const struct msg_submit_check *, const struct conf *,
    struct msg_allowed *answer);

/* What a message may have by this account and credential, at most. */
void permit_limits(const char *login, const char *label, const struct conf *,
    uint32_t *rcpts, uint64_t *size);

/* A message that was charged for was not taken. */
void permit_undo(const struct msg_submit_undo *);

#endif
