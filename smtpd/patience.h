/*
 * patience.h - how long a client is waited for, and how much of what it does
 * is borne with.
 */
#ifndef SMTPD_PATIENCE_H
#define SMTPD_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "smtpd/session.h"

struct command;

/*
 * A mail that must wait is not the client's fault, and neither is what it
 * says behind it: RSET, or the rest of what it had pipelined.  Who tries again
 * at once, and again, does so slowly.
 */
void patience_note(struct session *, const struct command *, int code);

/* Whether the session may go on behind this outcome; an error may cost it
 * time, see until_ms.  When not, the reply of the end is queued, and logged. */
bool patience_bear(struct session *, const struct command *, int code);

/* When session_timeout() is due, in a state that has timeout_s seconds. */
int64_t patience_deadline(const struct session *, int timeout_s);

#endif
