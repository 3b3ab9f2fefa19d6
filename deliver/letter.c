/*
 * letter.c - see letter.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/letter.h"
#include "lib/log.h"

#define PIECE 65536

uint64_t
letter_size(const struct letter *l)
{
	return l->added.len + (l->fd == -1 ? l->body.len : l->file_size);
}

/* What is at an offset without copying; false when it lies in the file. */
static bool
borrow(const struct letter *l, uint64_t at, struct bytes *piece)
{
	const struct bytes *from = &l->added;

	if (at >= l->added.len) {
		if (l->fd != -1)
			return false;
		at -= l->added.len;
		from = &l->body;
	}
	piece->data = from->data + at;
	piece->len = from->len - (size_t)at;
	return true;
}

/* pread(2) until `n` bytes are there; a shorter file is an error. */
static bool
read_file(const struct letter *l, uint64_t at, char *out, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = pread(l->fd, out, n, (off_t)at);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0) {
			log_event("deliver.unreadable", "at=%llu error=%s",
			    (unsigned long long)at,
			    log_quote(k == 0 ? "short file" : strerror(errno)));
			return false;
		}
		out += k;
		n -= (size_t)k;
		at += (uint64_t)k;
	}
	return true;
}

/* A downgrade_source. */
static ssize_t
read_some(void *arg, uint64_t at, char *out, size_t n)
{
	const struct letter *l = arg;
	uint64_t size = letter_size(l);
	struct bytes piece;

	if (at >= size)
		return 0;
	if (borrow(l, at, &piece)) {
		if (piece.len < n)
			n = piece.len;
		memcpy(out, piece.data, n);
		return (ssize_t)n;
	}
	if (size - at < n)
		n = (size_t)(size - at);
	if (!read_file(l, at - l->added.len, out, n))
		return -1;
	return (ssize_t)n;
}

void
reading_init(struct reading *r, const struct letter *l)
{
	r->letter = l;
	r->converted = NULL;
	r->at = 0;
	r->raw = false;
	stuff_init(&r->stuffer);
}

void
reading_clear(struct reading *r)
{
	free(r->converted);
	r->converted = NULL;
}

enum downgrade_result
reading_downgrade(struct reading *r, unsigned what, const char **problem)
{
	struct downgrade *d = malloc(sizeof(*d));
	enum downgrade_result result;

	if (d == NULL)
		abort();
	/* The converter only reads through it. */
	result =
	    downgrade_plan(d, what, read_some, (void *)(uintptr_t)r->letter);
	*problem = d->problem;
	if (result == DOWNGRADE_READY)
		r->converted = d;
	else
		free(d);
	return result;
}

static void
stuff(struct reading *r, const char *in, size_t n, struct buf *out)
{
	char *to;

	if (r->raw) {
		buf_add(out, in, n);
		return;
	}
	to = buf_reserve(out, STUFF_ROOM(n) + STUFF_END);
	buf_commit(out, stuff_write(&r->stuffer, in, n, to));
}

static void
end(struct reading *r, struct buf *out)
{
	if (!r->raw)
		buf_commit(
		    out, stuff_end(&r->stuffer, buf_reserve(out, STUFF_END)));
}

static enum reading_result
next_converted(struct reading *r, char *room, struct buf *out)
{
	size_t total = 0;
	ssize_t n;

	while (total < PIECE) {
		n = downgrade_read(r->converted, room, PIECE);
		if (n == -1)
			return READING_FAILED;
		if (n == 0) {
			end(r, out);
			return READING_DONE;
		}
		stuff(r, room, (size_t)n, out);
		total += (size_t)n;
	}
	return READING_MORE;
}

enum reading_result
reading_next(struct reading *r, struct buf *out)
{
	static char room[PIECE]; /* one thread, and empty between calls */
	uint64_t size = letter_size(r->letter);
	struct bytes piece;
	size_t total = 0;

	if (r->converted != NULL)
		return next_converted(r, room, out);
	while (r->at < size && total < PIECE) {
		if (!borrow(r->letter, r->at, &piece)) {
			piece.data = (const uint8_t *)room;
			piece.len = size - r->at < PIECE
			    ? (size_t)(size - r->at)
			    : PIECE;
			if (!read_file(r->letter, r->at - r->letter->added.len,
				room, piece.len))
				return READING_FAILED;
		}
		stuff(r, (const char *)piece.data, piece.len, out);
		r->at += piece.len;
		total += piece.len;
	}
	if (r->at < size)
		return READING_MORE;
	end(r, out);
	return READING_DONE;
}
