/*
 * self.h - who we are, to recognise a route that leads back to us.
 */
#ifndef DELIVER_SELF_H
#define DELIVER_SELF_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/conf.h"

/* Copies what it needs. */
void self_configure(const struct conf *);

/* What we say in EHLO. */
const char *self_name(void);
/* We listen on this address and port; one that listens everywhere listens on
 * every address of this machine. */
bool self_listens(const struct sockaddr *);

#endif
