/*
 * t_body.h - the bytes of a message: (id, chunk) -> bytes.
 *
 * Up to BODY_CHUNK bytes are one row, up to BODY_ROWS_MAX several; what is
 * larger is a file of its own (bodyfile.h).  Written at acceptance, never
 * changed, deleted with the message.
 */
#ifndef QUEUE_T_BODY_H
#define QUEUE_T_BODY_H

#include "queue/store.h"

#define BODY_CHUNK    65536
#define BODY_ROWS_MAX (256 * 1024)

void t_body_put(struct txn *, uint64_t id, const uint8_t *data, size_t len);
/* The first n bytes of a body of at least n; false when a row is missing. */
bool t_body_get(uint64_t id, uint8_t *data, size_t n);
/* size is the body's. */
void t_body_del(struct txn *, uint64_t id, uint64_t size);

#endif
