/*
 * peers.h - the lines to smtpd, the queue and deliver, and what is said on
 * them.
 */
#ifndef AUTH_PEERS_H
#define AUTH_PEERS_H

#include "ipc/messages.h"
#include "lib/conf.h"

/* To the queue, or to the next one if there is none: the guard froze an
 * account, and why. */
void peers_tell_frozen(const char *login, const char *text);

/* The limits in force; borrowed until the next call. */
void peers_use_conf(const struct conf *);
const struct conf *peers_conf(void);

/*
 * A new line; takes fd.  smtpd and the queue are told first about every
 * account that is not active, and about each change from then on.
 */
void peers_open(enum process, unsigned index, int fd);

/* Tell smtpd and the queue at once; what is sent to others after this returns
 * finds them told. */
void peers_tell(const char *login, enum account_state);

/* End the sessions that the account opened with this credential; "" any. */
void peers_end_sessions(const char *login, const char *label);

/* Tell deliver that keys of DKIM have changed. */
void peers_dkim_changed(void);

void peers_close(void);

#endif
