/*
 * letter.c - see letter.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/letter.h"
#include "lib/log.h"
#include "lib/sha256.h"
#include "mail/dkim.h"

#define PIECE      65536
#define HEAD_PIECE 4096

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
	r->what = 0;
	r->head = NULL;
	r->head_len = 0;
	r->head_said = false;
	stuff_init(&r->stuffer);
}

void
reading_clear(struct reading *r)
{
	free(r->converted);
	r->converted = NULL;
	free(r->head);
	r->head = NULL;
	r->head_len = 0;
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
	if (result == DOWNGRADE_READY) {
		r->converted = d;
		r->what = what;
	} else {
		free(d);
	}
	return result;
}

/* What the next server will get, from *at on. */
static ssize_t
read_final(struct reading *r, uint64_t *at, char *out, size_t n)
{
	ssize_t got = r->converted != NULL
	    ? downgrade_read(r->converted, out, n)
	    : read_some((void *)(uintptr_t)r->letter, *at, out, n);

	if (got > 0)
		*at += (uint64_t)got;
	return got;
}

static void
feed(void *hash, const char *s, size_t n)
{
	sha256_feed(hash, s, n);
}

/* Hash the body; n bytes of it have been read already. */
static bool
hash_body(struct reading *r, uint64_t at, const char *begin, size_t n,
    uint8_t out[SHA256_SIZE])
{
	static char room[PIECE];
	struct sha256 *hash = sha256_new();
	struct dkim_body body;
	ssize_t got;

	dkim_body_init(&body, feed, hash);
	dkim_body_feed(&body, begin, n);
	while ((got = read_final(r, &at, room, sizeof(room))) > 0)
		dkim_body_feed(&body, room, (size_t)got);
	dkim_body_end(&body);
	sha256_end(hash, out);
	sha256_free(hash);
	return got == 0;
}

/* Where the body begins, once its empty line is here; else 0. */
static size_t
body_at(const struct buf *text, size_t before)
{
	size_t from = before > 3 ? before - 3 : 0;
	const char *s = buf_data(text), *end;

	if (text->len >= 2 && memcmp(s, "\r\n", 2) == 0)
		return 2;
	if (text->len < 4)
		return 0;
	end = memmem(s + from, text->len - from, "\r\n\r\n", 4);
	return end != NULL ? (size_t)(end - s) + 4 : 0;
}

bool
reading_scan(
    struct reading *r, struct buf *header, uint8_t body_hash[SHA256_SIZE])
{
	uint64_t at = 0;
	size_t before, end = 0;
	bool good = true;
	ssize_t got;

	do {
		before = header->len;
		got = read_final(
		    r, &at, buf_reserve(header, HEAD_PIECE), HEAD_PIECE);
		if (got > 0)
			buf_commit(header, (size_t)got);
	} while (got > 0 && (end = body_at(header, before)) == 0);
	if (end == 0)
		end = header->len;
	if (got == -1)
		good = false;
	else if (r->letter->has_hash && r->converted == NULL)
		memcpy(body_hash, r->letter->body_hash, SHA256_SIZE);
	else
		good = hash_body(r, at, buf_data(header) + end,
		    header->len - end, body_hash);
	header->len = end;
	if (r->converted != NULL)
		downgrade_rewind(r->converted);
	return good;
}

void
reading_put(struct reading *r, const char *lines)
{
	free(r->head);
	r->head = strdup(lines);
	if (r->head == NULL)
		abort();
	r->head_len = strlen(lines);
}

uint64_t
reading_size(const struct reading *r)
{
	return r->converted != NULL ? 0 : letter_size(r->letter) + r->head_len;
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

	if (!r->head_said && r->head_len > 0) {
		stuff(r, r->head, r->head_len, out);
		total = r->head_len;
	}
	r->head_said = true;
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
