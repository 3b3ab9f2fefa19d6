/*
 * verdict.h - what the rules of [screen] say, as the message that tells it.
 */
#ifndef IPC_VERDICT_H
#define IPC_VERDICT_H

#include "ipc/messages.h"
#include "lib/screen.h"

/* Sets all but `found`. */
void verdict_set(struct msg_conn_verdict *, const struct screen_match *);

#endif
