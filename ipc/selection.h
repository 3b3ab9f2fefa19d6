/*
 * selection.h - the messages of the queue that a command is about, in the
 * words of the command.
 */
#ifndef IPC_SELECTION_H
#define IPC_SELECTION_H

#include "ipc/messages.h"
#include "lib/shell.h"

/* Room for both addresses and the domain as words of a shell, and the flags. */
#define SELECTION_SIZE (2 * SHELL_SIZE(ADDR_SIZE) + SHELL_SIZE(256) + 40)

/*
 * Write what a command selects, unless it does so by ids, as one would type
 * it: "--account alice@example.org --domain example.net", or "--all".
 */
void selection_write(const struct msg_queue_cmd *, char out[SELECTION_SIZE]);

#endif
