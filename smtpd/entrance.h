/*
 * entrance.h - who may come in: how many, how fast, from where, and who has to
 * go when there is no room.
 */
#ifndef SMTPD_ENTRANCE_H
#define SMTPD_ENTRANCE_H

#include <stdbool.h>

#include "ipc/messages.h"

/* Before the chroot hides it, as the parent counts them. */
void entrance_count_processors(void);
/* Accept clients; resolve() asks deliver what the rules want to know of the
 * DNS (false: it is away). */
void entrance_open(bool (*resolve)(const struct msg *));
/* The configuration is another one: so may the listeners be. */
void entrance_renew(void);
/* No more clients. */
void entrance_close(void);
/* End the loop if that was said, the last one is gone, and nothing is owed. */
void entrance_end(void);
/* One has gone. */
void entrance_left(void);

/* Connections from one address, and sessions of one account, in this process
 * at most. */
unsigned entrance_share(void);
/* Handshakes of one network in a minute, at most; 0 any number. */
unsigned entrance_handshakes(void);

#endif
