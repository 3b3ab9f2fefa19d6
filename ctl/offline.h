/*
 * offline.h - an owner of a store of our own, while no server runs.
 *
 * Two openers would ruin a store (docs/ARCHITECTURE.md), so a lock on
 * STATE/lock is held meanwhile; a server holds it as long as it runs.
 */
#ifndef CTL_OFFLINE_H
#define CTL_OFFLINE_H

#include "ctl/daemon.h"

/*
 * Start d->peer, auth or the queue, alone and connect to it: d->sock is the
 * line, as if the server ran.  d was initialised.  CODE_OK, or the reason is on stderr.
 */
int offline_open(struct daemon *d, const struct settings *);

/* The line is closed; let it finish, wait for it, drop the lock. */
void offline_close(struct daemon *d);

#endif
