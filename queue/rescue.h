/*
 * rescue.h - bodies out of the log before it is removed.
 *
 * Small bodies lie in the log (t_body.h).  When a part of the log is needed no
 * more for recovery, the messages that still wait with their body in it are
 * few; those move to the table, and when that is durable it may go.
 */
#ifndef QUEUE_RESCUE_H
#define QUEUE_RESCUE_H

#include <stdbool.h>
#include <stdint.h>

void rescue_start(void);

/*
 * Move all bodies out of the log files up to this one; then call done, when
 * nothing there is wanted any more.  Where the disk has no room for that, done
 * is told of fewer files, or of none that was not told of before.  Ignored
 * while one is under way.
 */
void rescue_bodies(uint32_t last_file, void (*done)(uint32_t last_file));

/* The end of a turn: go on. */
void rescue_turn(void);

#endif
