/*
 * part.h - jobs that travel in one MSG_JOB: those of one message that leave by
 * one route, and so in one transaction.
 *
 * The message's own fields are about the first of them.  Each other one is an
 * item of the packed list `parts` (lib/record.h), and the recipients of all
 * stand one job after the other in one list.
 */
#ifndef IPC_PART_H
#define IPC_PART_H

#include "ipc/messages.h"

struct part_item {
	uint64_t tag;     /* of the job, for its verdicts */
	uint32_t n;       /* of the job within the message */
	uint64_t seal;    /* as in struct msg_job */
	uint32_t attempt; /* 1 is the first */
	uint32_t nrcpts;  /* its own, 1 at least */
	char domain[256]; /* what they share */
};

#define PART_ITEM_MAX (sizeof(struct part_item) + 2)

/* Write it to out[PART_ITEM_MAX]; returns its length. */
size_t part_pack(const struct part_item *, uint8_t *out);
/* Read one; false when it is none, or has no recipients. */
bool part_unpack(struct part_item *, struct bytes item);

#endif
