/*
 * secrets.h - passwords of smarthosts, by the name of their route.
 *
 * The parent sends all of them before each start and reload; the new set
 * replaces the old one when secrets_apply() is called.
 */
#ifndef AUTH_SECRETS_H
#define AUTH_SECRETS_H

#include "ipc/messages.h"

/* A password file of the next set: one line.  Takes fd.  Logs what is wrong
 * with it; then the route has none. */
void secrets_file(const char *route, int fd);
void secrets_apply(void);
/* Answer MSG_ROUTE_SECRET; the caller wipes the answer. */
void
secrets_find(const struct msg_route_secret *, struct msg_route_secret_is *);
void secrets_close(void);

#endif
