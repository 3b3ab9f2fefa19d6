/*
 * keeper.h - the line to auth, which keeps the keys: passwords of smarthosts
 * (secret.h) and signatures (signer.h) are asked for over it.
 */
#ifndef DELIVER_KEEPER_H
#define DELIVER_KEEPER_H

#include <stdbool.h>

#include "ipc/messages.h"

/* Takes fd. */
void keeper_peer(int fd);

/* False when nobody is there to ask. */
bool keeper_send(const struct msg *);

#endif
