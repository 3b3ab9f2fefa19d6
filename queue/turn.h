/*
 * turn.h - which account goes next, and how much one may have in flight.
 */
#ifndef QUEUE_TURN_H
#define QUEUE_TURN_H

#include "queue/account.h"

/*
 * May an account have one more in flight?  Two thirds of all go to one that
 * is alone, two thirds of the rest to a second, and always some to a new one.
 * Where hardly any lands, and until some have, it is a third: mail to servers
 * that take their time delays nobody else's.
 */
bool turn_may_fly(const struct account *);

/* The account whose turn it is; NULL none. */
struct account *turn_first(void);
/* To the end of the line; it stands in it. */
void turn_yield(struct account *);
/* It has its share; it comes back when something lands. */
void turn_sate(struct account *);

/* Into the line, if it has something that may go, is not suspended and has
 * not its share. */
void turn_join(struct account *);
void turn_leave(struct account *);

/* One of its jobs takes off, or has landed: somebody who had his share may go
 * on. */
void turn_take_off(struct account *);
void turn_land(struct account *);

#endif
