/*
 * buf.c - see buf.h.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

#define FIRST_BYTES 512

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t cap;

	if (b->cap - b->off - b->len >= n)
		return b->base + b->off + b->len;
	if (b->off > 0) {
		if (b->len > 0)
			memmove(b->base, b->base + b->off, b->len);
		b->off = 0;
	}
	if (b->cap - b->len < n) {
		assert(n < SIZE_MAX / 4 && b->len < SIZE_MAX / 4);
		for (cap = b->cap ? b->cap : FIRST_BYTES; cap - b->len < n;)
			cap *= 2;
		b->base = realloc(b->base, cap);
		if (b->base == NULL)
			abort();
		b->cap = cap;
	}
	return b->base + b->len;
}

void
buf_commit(struct buf *b, size_t n)
{
	assert(b->cap - b->off - b->len >= n);
	b->len += n;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_reserve(b, n), p, n);
	b->len += n;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	p = buf_reserve(b, 256);
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(p, 256, fmt, ap);
	va_end(ap);
	if (n >= 256) {
		p = buf_reserve(b, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n > 0)
		b->len += (size_t)n;
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->off += n;
	b->len -= n;
	if (b->len == 0)
		b->off = 0;
}

void
buf_release(struct buf *b)
{
	free(b->base);
	*b = (struct buf){ 0 };
}
