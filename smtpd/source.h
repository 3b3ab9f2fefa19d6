/*
 * source.h - how many connections come from one place: an IPv4 address, or
 * the /64 of an IPv6 address, which is what one subscriber gets.
 */
#ifndef SMTPD_SOURCE_H
#define SMTPD_SOURCE_H

#include <stdbool.h>
#include <sys/socket.h>

struct source;

/*
 * Count one more connection.  NULL when there are `most` already; *first is
 * set when that happens for the first time since it had none.
 */
struct source *
source_enter(const struct sockaddr *, unsigned most, bool *first);
void source_leave(struct source *);

#endif
