/*
 * listener.h - the sockets at which clients arrive.  All workers share them.
 */
#ifndef SMTPD_LISTENER_H
#define SMTPD_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "ipc/messages.h"

/* A socket at which clients arrive. */
struct door {
	char name[64]; /* of its [listen NAME] */
	unsigned port;
	bool implicit; /* TLS from the first byte */
};

/* A client has come; takes fd, which is nonblocking.  The door is borrowed. */
typedef void listener_fn(int fd, const struct sockaddr *, const struct door *);

/* One more socket, from the parent; takes fd.  Not accepting before the start
 * or the next renewal. */
void listener_add(const struct msg_listen *, int fd);
void listener_start(listener_fn *);
/* If sockets were added since, they replace those in use. */
void listener_renew(void);
/* Leave clients to the others, or to the backlog. */
void listener_pause(bool);
/* Close them all. */
void listener_stop(void);

#endif
