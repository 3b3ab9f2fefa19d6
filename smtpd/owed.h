/*
 * owed.h - permits that come when nobody wants them any more: the client has
 * left, or was hung up on, while auth was asked about its message.  The account
 * was charged for that; the permit goes to the queue, which gives it back.  Best
 * effort: not while the queue is away, when auth ends before it has answered, or
 * for more of them at once than there may be clients.
 */
#ifndef SMTPD_OWED_H
#define SMTPD_OWED_H

#include "smtpd/session.h"

/* The transaction of this session ends, and its permit is still to come. */
void owed_note(const struct session *);
/* An answer for a session that does not want it.  Nothing happens when it is
 * none of those. */
void owed_settle(const struct surroundings *, const struct msg *);
/* Is one still to come? */
bool owed_pending(void);
/* Auth is gone: none will come. */
void owed_forget(void);

#endif
