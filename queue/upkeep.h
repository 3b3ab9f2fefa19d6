/*
 * upkeep.h - what must be done now and then: look at the room on the disk,
 * checkpoint, remove old log, wake destinations.
 */
#ifndef QUEUE_UPKEEP_H
#define QUEUE_UPKEEP_H

#include <stdint.h>

void upkeep_start(void);
/*
 * How many jobs may be under way at once.  Where little is free a queue that
 * drains quickly would fill it with the log of what it deletes, before the
 * log behind it can be removed.
 */
unsigned upkeep_flights(void);
/* Room for so many bytes more, for a while, without new mail suffering? */
bool upkeep_room_for(uint64_t bytes);
/* The same, but for what the deliveries of mail that waits need to go on. */
bool upkeep_room_to_move(uint64_t bytes);
/* The end of a turn. */
void upkeep_turn(void);
/* Is there room for more mail?  Sets the state of the intake, or makes
 * commits wait for a checkpoint that may help. */
void upkeep_check_room(void);
/* The same, but the disk is not asked each time while it has plenty. */
void upkeep_mind_room(void);
/* No more checkpoints; ends its threads. */
void upkeep_stop(void);
/* Since the start. */
uint64_t upkeep_checkpoints(void);

#endif
