/*
 * bodyfile.h - bodies too large for the store: a file each, named by the
 * message's id, in one folder.
 *
 * A file is lent to smtpd, which writes the body into it.  Before the message
 * is committed, a thread makes file and folder durable and takes care that
 * whoever held the file can no longer write to it.  What a crash leaves
 * without a message row is swept at the next start.
 */
#ifndef QUEUE_BODYFILE_H
#define QUEUE_BODYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/worker.h"

/* The folder `path` (made when missing) is in use.  Failure is fatal. */
void bodyfile_open(const char *path);
void bodyfile_close(void);
/* No bodyfile_keep() is under way. */
bool bodyfile_idle(void);

/* An empty file to be lent, open for reading and writing; -1 with errno. */
int bodyfile_new(uint64_t id);
/* Read-only; -1 with errno. */
int bodyfile_read(uint64_t id);
void bodyfile_remove(uint64_t id);

/* Remove every file for which keep() is false; returns how many. */
unsigned bodyfile_sweep(bool (*keep)(uint64_t id));

struct bodyfile_keep {
	struct task task;
	uint64_t id;
	uint64_t size;                        /* bytes it must have */
	int fd;                               /* as lent; taken */
	int error;                            /* afterwards: 0 or an errno */
	void (*done)(struct bodyfile_keep *); /* on the loop */
};

/*
 * Make a lent file the spool's own; then call done.  With error 0 it holds
 * exactly size bytes, is read-only, and survives power loss.  EINVAL: it has
 * another size.
 */
void bodyfile_keep(struct bodyfile_keep *);

#endif
