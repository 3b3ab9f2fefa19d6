/*
 * hostname.h - what this machine is called, without asking the network.
 */
#ifndef CTL_HOSTNAME_H
#define CTL_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

/* What is used when nobody knows better. */
#define HOSTNAME_UNKNOWN "localhost.localdomain"

/*
 * The full name: what gethostname(2) says if it has a dot, else the name that
 * /etc/hosts gives to it.  False, and HOSTNAME_UNKNOWN, when neither helps.
 */
bool hostname_guess(char out[256]);

/*
 * The first full name on a line of an /etc/hosts file that names `host`.
 */
bool
hostname_find(const char *hosts, size_t len, const char *host, char out[256]);

#endif
