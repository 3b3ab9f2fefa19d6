/*
 * ahead.h - what a clock that was ahead has left in the schedule.
 */
#ifndef QUEUE_AHEAD_H
#define QUEUE_AHEAD_H

/*
 * At the start, and when the clock was set back: jobs that wait for a time so
 * far away that neither a retry nor their sender asked for it are due now, and
 * messages that came in the future came now.  In slices, between other work.
 */
void ahead_look(void);

#endif
