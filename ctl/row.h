/*
 * row.h - the rows of a backup as JSON, by the names of their members, so
 * that whatever keeps mail later can read them.
 *
 * A message is an object of its own members, "added" (bytes in front of the
 * body, in the file beside it) and "jobs", each with "answers" and "rcpts".
 */
#ifndef CTL_ROW_H
#define CTL_ROW_H

#include <jansson.h>
#include <stdbool.h>

#include "ipc/messages.h"

#define ROW_LINE ((size_t)64 << 20) /* bytes of a line at most */

/* A new object of everything but bulk bytes. */
json_t *row_json(const struct msg *);

/*
 * The other way, into m->u, with m->type set.  False when a member is
 * missing, unknown or out of its bounds; `more` others are the caller's.
 */
bool row_read(struct msg *m, json_t *object, size_t more);

/* What a message's line says beside its rows. */
struct row_message {
	uint64_t id;
	uint64_t added, size; /* bytes */
	unsigned jobs, rcpts;
};

/*
 * Read the line of a message: `emit` gets its rows in the order that
 * ipc/messages_queue.h tells, MSG_SPOOL_MESSAGE without `added`, and may refuse.
 * False when the line is malformed or was refused.
 */
typedef bool row_fn(void *arg, struct msg *);
bool row_message(const char *line, size_t len, struct row_message *,
    row_fn *emit, void *arg);

#endif
