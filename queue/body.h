/*
 * body.h - bytes of a message in memory, shared by whoever still needs them.
 */
#ifndef QUEUE_BODY_H
#define QUEUE_BODY_H

#include <stddef.h>
#include <stdint.h>

struct body {
	unsigned refs;
	size_t len;
	uint8_t data[];
};

/* One reference; data is not set. */
struct body *body_new(size_t len);
struct body *body_ref(struct body *);
/* NULL is fine. */
void body_unref(struct body *);
/* Bytes of all bodies in memory. */
size_t body_total(void);

#endif
