/*
 * attend.h - a client between its socket and its session.
 *
 * Only here are the doors of a session used for what the socket says; whoever
 * has told a session something else lets it be attended to.
 */
#ifndef SMTPD_ATTEND_H
#define SMTPD_ATTEND_H

#include "smtpd/clients.h"

/* What sessions look at.  Whoever is called back sets the time in it. */
extern struct surroundings attend_world;

/* Its socket, before its session begins; takes fd. */
void attend_open(struct client *, int fd, unsigned port);
/* See to what its session wants.  The client may be gone afterwards. */
void attend_session(struct client *);
/* It is gone: forget all about it. */
void attend_drop(struct client *);

#endif
