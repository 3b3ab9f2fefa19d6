/*
 * server.h - everything around the sessions: sockets, timers, neighbours.
 */
#ifndef SMTPD_SERVER_H
#define SMTPD_SERVER_H

#include "ipc/child.h"

extern const struct child server;

#endif
