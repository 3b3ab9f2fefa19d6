/*
 * frozen.h - mail about an account that the guard froze.
 */
#ifndef QUEUE_FROZEN_H
#define QUEUE_FROZEN_H

#include "ipc/messages.h"

/*
 * Tell the postmaster, or whom [guard] notify names, with the evidence and
 * what to do; and the account, that it was stopped and why.
 */
void frozen_tell(const struct msg_frozen *);

#endif
