/*
 * mark.h - noting in a file that outlives us for whom the end of a message is
 * on its way (ipc/marks.h).  Two stores to memory for each message; without
 * a file nothing happens.
 */
#ifndef DELIVER_MARK_H
#define DELIVER_MARK_H

#include "deliver/job.h"
#include "ipc/marks.h"

/*
 * Write there from now on.  Takes fd.  Returns whether what it holds is ours:
 * we wrote in it before, or brought what we had marked elsewhere along.
 */
bool mark_file(int fd);

/*
 * The end of the message is about to leave.
 *
 *   id     of the message
 *   part   the job; of its recipients
 *   rcpts  a bit for each that will have it
 *   mx     where to
 *
 * Returns the mark, or 0 when there is no place for one.
 */
unsigned mark_set(uint64_t id, const struct part *,
    const uint8_t rcpts[MARK_BYTES], const char *mx);
/* What became of it; 0 is none. */
void mark_end(unsigned mark, enum mark_state, int code);

/* The queue will have this as its next attempt of a job whose mark is still
 * open from an earlier one. */
void mark_follow(uint64_t id, uint32_t n, uint32_t attempt);

#endif
