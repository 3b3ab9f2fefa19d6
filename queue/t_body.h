/*
 * t_body.h - the bytes of a message.
 *
 * A body of up to LOG_BODY_MAX bytes is written once, into the log: it would
 * have to go there in any case, and nearly every message is gone within
 * seconds.  Only when its part of the log is to be removed does the body of a
 * message that still waits move to the table (rescue.h).
 *
 * In the table, (id, chunk) -> bytes, are those and all that are longer: up to
 * BODY_CHUNK bytes in one row, up to BODY_ROWS_MAX in several.  What is larger
 * still is a file of its own (bodyfile.h).  Rows are never changed, and
 * deleted with the message.
 */
#ifndef QUEUE_T_BODY_H
#define QUEUE_T_BODY_H

#include "queue/t_message.h"

#define LOG_BODY_MAX  65536
#define BODY_CHUNK    65536
#define BODY_ROWS_MAX (256 * 1024)

/* Where a body is; as in the message's row. */
struct body_at {
	enum body_kind kind;
	uint64_t place; /* BODY_LOG only */
};

/* Write a body of at most BODY_ROWS_MAX bytes; returns where it went. */
struct body_at
t_body_put(struct txn *, uint64_t id, const uint8_t *data, size_t len);
/* The same, but never into the log. */
void
t_body_put_rows(struct txn *, uint64_t id, const uint8_t *data, size_t len);
/* The first n bytes of a body of at least n, which is in no file; false when
 * they are not there. */
bool t_body_get(struct body_at, uint64_t id, uint8_t *data, size_t n);
/* Of a body that is in no file; size is the body's. */
void t_body_del(struct txn *, struct body_at, uint64_t id, uint64_t size);

/* Move a body from the log into the table; false when it is not there. */
bool t_body_move(struct txn *, struct body_at *, uint64_t id, uint64_t size);

#endif
