/*
 * ahead.h - what a clock that was ahead has left in the schedule.
 */
#ifndef QUEUE_AHEAD_H
#define QUEUE_AHEAD_H

/*
 * At the start, and when the clock was set back: jobs that wait for a time so
 * far away that neither a retry nor their sender asked for it are due now.  Once
 * clock_is_settled(), messages that came in the future came now.  In slices,
 * between other work, while there is room on the disk.
 */
void ahead_look(void);

#endif
