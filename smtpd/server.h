/*
 * server.h - the process: its neighbours, its start and its end.
 */
#ifndef SMTPD_SERVER_H
#define SMTPD_SERVER_H

#include "ipc/child.h"

extern const struct child server;

#endif
