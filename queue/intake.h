/*
 * intake.h - smtpd's transactions, up to the moment the spool is responsible.
 *
 * A hijacked smtpd can say whatever the messages allow: all of it is bounded
 * and checked here, and nothing it sends reaches a row unparsed.
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include <stdbool.h>

/* A new line to an smtpd (taken); what it had begun on the old is dropped. */
void intake_smtpd_is(unsigned index, int fd);

enum intake_state {
	INTAKE_OPEN,
	INTAKE_NO_ROOM,  /* the disk is nearly full */
	INTAKE_STOPPING, /* the process is about to end */
};

/* Take or refuse new mail from now on; tells every smtpd of a change. */
void intake_set(enum intake_state);
enum intake_state intake_get(void);

/* The end of a turn: send what was answered. */
void intake_turn(void);

#endif
