/*
 * session_parts.h - what session.c and session_input.c share; for them only.
 */
#ifndef SMTPD_SESSION_PARTS_H
#define SMTPD_SESSION_PARTS_H

#include "smtpd/commands.h"
#include "smtpd/session.h"

/* session_input.c: who eats the input in each state, and how long we wait for
 * it. */
struct state_row {
	const char *name;
	size_t (*eat)(struct session *, char *, size_t); /* 0: needs more */
	int timeout_s;
};
extern const struct state_row session_states[ST_COUNT];

/* session.c: apply the outcome of a command or step: the one place where a
 * reply moves a session. */
void session_settle(struct session *, const struct command *, int code);
/* The one place that writes the state.  Ends what the new one cannot have. */
void session_enter(struct session *, enum state);

#endif
