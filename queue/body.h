/*
 * body.h - bytes of a message in memory.
 */
#ifndef QUEUE_BODY_H
#define QUEUE_BODY_H

#include <stddef.h>
#include <stdint.h>

struct body {
	size_t len;
	uint8_t data[];
};

/* Its data is not set. */
struct body *body_new(size_t len);
/* NULL is fine. */
void body_free(struct body *);
/* Bytes of all bodies in memory. */
size_t body_total(void);

#endif
