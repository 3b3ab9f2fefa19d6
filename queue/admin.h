/*
 * admin.h - the operator's commands on the queue.
 */
#ifndef QUEUE_ADMIN_H
#define QUEUE_ADMIN_H

#include "ipc/messages.h"

/* An operator's connection (taken), as the parent introduces it. */
void admin_client(const struct msg_ctl_client *, int fd);

/* Without a store: answer whatever is asked with code and text.  text lasts. */
void admin_refuse(uint32_t code, const char *text);

/* The end of a turn: go on with long commands. */
void admin_turn(void);

#endif
