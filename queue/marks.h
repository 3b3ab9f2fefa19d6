/*
 * marks.h - what a deliver that died has left behind (ipc/marks.h): who may
 * have got the message, and who has.
 */
#ifndef QUEUE_MARKS_H
#define QUEUE_MARKS_H

#include <stdbool.h>

#include "ipc/channel.h"
#include "queue/job.h"

/*
 * Find or make the file; boot names this run of the machine.  Without room for
 * it there are no marks.  Logs that, and that the machine stopped, or a postern
 * with other marks, while mail may have been on its way, of which nobody knows
 * then.
 */
void marks_open(const char *path, const char *boot);
/* At a clean end, with nothing on its way. */
void marks_close(void);

/* What deliver gets with a job, to put it into the mark: nobody who does not
 * have our key can make it for another. */
uint64_t marks_seal(uint64_t id, uint32_t n);

/* Lend it to a new deliver, which answers with MSG_MARKS_ARE; false when there
 * is none, and no answer will come. */
bool marks_lend(struct channel *deliver);

/* Read what is there now, for marks_judge() and marks_settle(). */
void marks_load(void);
/* A job that deliver had: who is marked gets a verdict.  Returns whether
 * anybody did. */
bool marks_judge(struct job *);
/* All jobs that are marked and not in flight get what they deserve, and the
 * marks are gone. */
void marks_settle(void);

#endif
