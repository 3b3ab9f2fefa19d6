/*
 * listener.h - the sockets at which clients arrive.  All workers share them.
 */
#ifndef SMTPD_LISTENER_H
#define SMTPD_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "ipc/messages.h"

/* A client has come; takes fd, which is nonblocking. */
typedef void
listener_fn(int fd, const struct sockaddr *, unsigned port, bool implicit_tls);

/* One more socket, from the parent; takes fd.  Not accepting yet. */
void listener_add(const struct msg_listen *, int fd);
void listener_start(listener_fn *);
/* Leave clients to the others, or to the backlog. */
void listener_pause(bool);
/* Close them all. */
void listener_stop(void);

#endif
