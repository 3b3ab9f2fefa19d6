/*
 * identity.h - as whom and where each child runs, and becoming one.
 */
#ifndef IPC_IDENTITY_H
#define IPC_IDENTITY_H

#include <stdbool.h>

#include "ipc/messages.h"
#include "lib/conf.h"

#define IDENTITY_DIR (CONF_PATH + 8)

struct identity {
	const char *user;       /* when started as root; the conf's own */
	char dir[IDENTITY_DIR]; /* what it is locked into */
	bool tied; /* to the process that starts it, whose end is its own */
};

/* Of a child of the parent; any other process is the caller's bug. */
void identity_of(enum process, const struct conf *, struct identity *);

/* Where a child finds the line to its parent. */
#define CHILD_LINE 3

/*
 * Become the program at `path` as this child; root gives it the user.
 *
 *   index    which of several of its kind, from 0
 *   line     borrowed; its line to its parent
 *   attempt  as attempt_run() has it (lib/attempt.h); NULL: serve
 *
 * Of the caller's descriptors only 0, 1 and 2 go along.  Returns only when it
 * failed, with errno.
 */
void identity_become(const struct identity *, const char *path, unsigned index,
    int line, const char *attempt);

#endif
