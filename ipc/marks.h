/*
 * marks.h - the file that deliver writes in and the queue reads when a deliver
 * has died: which recipients had the end of a message on its way to a server,
 * and whether the answer came (RFC 1047).
 *
 * The queue makes the file and lends it with MSG_MARKS; deliver maps it.  What
 * is stored there outlives both processes, not the machine's power.  A mark
 * names one attempt of one job, so one that is left behind means nothing to
 * the next attempt; and it bears the seal that came with the job, so deliver
 * can mark nothing that it was not given.
 */
#ifndef IPC_MARKS_H
#define IPC_MARKS_H

#include <assert.h>
#include <stdint.h>

#include "ipc/messages.h"

#define MARKS        4096
#define MARK_BYTES   ((JOB_RCPTS + 7) / 8)
#define MARKS_LAYOUT 1 /* goes up with every change of struct mark */

enum mark_state {
	MARK_NONE,
	MARK_SENT,  /* the end of the message leaves; no answer yet */
	MARK_LOST,  /* no answer will come, and the queue was told so */
	MARK_TAKEN, /* the server took it */
	MARK_STATES
};

struct mark {
	uint64_t id;               /* of the message */
	uint64_t seal;             /* as it came with the job */
	uint32_t n;                /* of its job */
	uint32_t attempt;          /* 1 is the first */
	uint32_t nrcpts;           /* of the job as it was sent */
	uint32_t code;             /* the reply; MARK_TAKEN only */
	uint8_t rcpts[MARK_BYTES]; /* a bit for each of them, from bit 0 on */
	char mx[82];               /* as in msg_job_verdict, perhaps cut off */
	_Atomic uint8_t state;     /* enum mark_state; written last */
};

static_assert(sizeof(struct mark) == 128, "a mark lies within two lines");

#endif
