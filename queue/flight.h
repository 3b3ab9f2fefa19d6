/*
 * flight.h - jobs on their way: handed to deliver, and what it says of them.
 */
#ifndef QUEUE_FLIGHT_H
#define QUEUE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

/* There is one, or was. */
bool flight_deliver_known(void);
/* A new line to deliver (taken); what the old one carried is ready again. */
void flight_deliver_is(int fd);

/* Nothing is sent before auth has told who is suspended. */
void flight_allow(void);
/* Send no more. */
void flight_forbid(void);

/* The end of a turn: send what may go. */
void flight_turn(void);

/* Jobs with deliver. */
unsigned flight_count(void);

#endif
