/*
 * restore_parts.h - what restore.c and restore_row.c share; for them only.
 */
#ifndef QUEUE_RESTORE_PARTS_H
#define QUEUE_RESTORE_PARTS_H

#include "queue/bodyfile.h"
#include "queue/group.h"
#include "queue/job.h"
#include "queue/restore.h"

struct part_row {
	uint32_t n;
	struct job_row row; /* its bulk is its own */
	unsigned nrcpts, nanswers, waiting;
};

struct message {
	struct change change;      /* the first member */
	struct bodyfile_keep keep; /* of a body in a file */
	struct restore *from;
	uint64_t id;
	struct message_row row;
	uint8_t added[ADDED_MAX];
	struct part_row *parts;
	unsigned nparts, size;
	unsigned nrcpts, waiting;
	struct body *body; /* NULL: in a file */
	int fd;
	uint64_t got; /* bytes of the body */
	uint8_t last; /* of them */
};

struct restore {
	void (*idle)(void *arg);
	void *arg;
	bool begun, waited;
	char fault[400];
	uint64_t last_id;
	uint64_t done;
	unsigned pending; /* on their way to the disk */
	struct message *now;
	/* Of the job whose recipients come. */
	uint8_t rcpts[RCPTS_MAX];
	uint8_t answers[JOB_ANSWERS_MAX];
};

/* restore.c: this was wrong with the message under way, if there is one.  It is
 * dropped, and nothing more is taken. */
void restore_fail(struct restore *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The message under way is whole: bring it to the disk. */
void restore_keep(struct restore *);

#endif
