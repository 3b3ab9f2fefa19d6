/*
 * screening.h - what the rules of [screen] say of an address: names and block
 * lists are looked up as far as a rule needs them, all at once, and the first
 * rule that matches decides.
 *
 * A name counts when it is the address's own and has the address itself:
 * whoever runs a network can name its addresses after anybody.
 */
#ifndef DELIVER_SCREENING_H
#define DELIVER_SCREENING_H

#include "ipc/messages.h"
#include "lib/conf.h"

#define SCREENING_MS 2000

/* Use these rules from now on; who waits is answered by the old ones. */
void screening_configure(const struct conf *);

typedef void screening_fn(void *arg, const struct msg_conn_verdict *);

/*
 * Done exactly once, within SCREENING_MS, perhaps before this returns.  A rule
 * whose question was not answered by then does not match, which is logged
 * as screen.late.
 */
void screening_ask(const char *ip, screening_fn *done, void *arg);

/* The line to an smtpd, which asks MSG_CONN_CHECK; takes fd. */
void screening_peer(unsigned index, int fd);

#endif
