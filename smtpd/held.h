/*
 * held.h - handshakes that wait a moment for auth, which signs them, while it
 * is started again.
 */
#ifndef SMTPD_HELD_H
#define SMTPD_HELD_H

#include <stdbool.h>

#include "smtpd/clients.h"

/*
 * Whether a handshake that needs a signature now is to wait: auth is away,
 * and not so many wait already that it looks like more than a restart.
 */
bool held_wanted(void);

/* This one does (IO_HELD).  It goes on when auth is back, or fails after two
 * seconds. */
void held_add(struct client *);
/* It is gone.  Harmless when it was not held. */
void held_forget(struct client *);

/* Auth is back. */
void held_go_on(void);

#endif
