/*
 * buf.h - a byte queue: append at the end, consume at the front.
 *
 * An empty buffer owns no memory once buf_release() was called, so that an
 * idle session costs nothing.  Every growth is bounded by the caller, who
 * knows why; running out of memory aborts.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	char *base;
	size_t off; /* of the first byte */
	size_t len; /* bytes held */
	size_t cap;
};

/* All zero is an empty buffer; its data may be NULL. */
static inline char *
buf_data(const struct buf *b)
{
	return b->off > 0 ? b->base + b->off : b->base;
}

/* Room for n more bytes behind the end; returns where they go. */
char *buf_reserve(struct buf *, size_t n);
/* n bytes were written where buf_reserve() said. */
void buf_commit(struct buf *, size_t n);
void buf_add(struct buf *, const void *, size_t n);
void buf_addf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_consume(struct buf *, size_t n);
/* Empty it and give the memory back. */
void buf_release(struct buf *);

#endif
