/*
 * identity.h - as whom and where each child runs.
 */
#ifndef IPC_IDENTITY_H
#define IPC_IDENTITY_H

#include "ipc/messages.h"
#include "lib/conf.h"

#define IDENTITY_DIR (CONF_PATH + 8)

struct identity {
	const char *user;       /* when started as root; the conf's own */
	char dir[IDENTITY_DIR]; /* what it is locked into */
};

/* Of a child of the parent; any other process is the caller's bug. */
void identity_of(enum process, const struct conf *, struct identity *);

#endif
