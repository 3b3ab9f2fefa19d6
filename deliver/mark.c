/*
 * mark.c - see mark.h.
 *
 * The places are taken in turn.  What has ended stays until its place is taken
 * again, so that the queue finds a verdict there that it was not told.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "deliver/mark.h"
#include "lib/log.h"

#define FILE_BYTES (MARKS * sizeof(struct mark))

static struct mark *marks; /* shared */
static unsigned next;

/* The size is asked for by a seek: a confined process has no fstat(2). */
static struct mark *
map(int fd)
{
	void *at = MAP_FAILED;

	if (lseek(fd, 0, SEEK_END) >= (off_t)FILE_BYTES)
		at = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
	return at != MAP_FAILED ? at : NULL;
}

bool
mark_file(int fd)
{
	struct mark *was = marks, *now = map(fd);

	if (now == NULL)
		log_event("warning", "text=%s error=%s",
		    log_quote("the file of marks cannot be used"),
		    log_quote(strerror(errno)));
	close(fd);
	if (now == NULL)
		return was != NULL;
	marks = now;
	if (was != NULL) {
		/* The same file as a rule, and then nothing changes. */
		memcpy(now, was, FILE_BYTES);
		munmap(was, FILE_BYTES);
	}
	return was != NULL;
}

unsigned
mark_set(uint64_t id, const struct part *p, const uint8_t rcpts[MARK_BYTES],
    const char *mx)
{
	struct mark *m = NULL;

	for (unsigned tried = 0; marks != NULL && tried < MARKS; tried++) {
		m = &marks[next++ % MARKS];
		if (m->state != MARK_SENT)
			break;
		m = NULL;
	}
	if (m == NULL)
		return 0;
	atomic_store_explicit(&m->state, MARK_NONE, memory_order_release);
	m->id = id;
	m->n = p->n;
	m->seal = p->seal;
	m->attempt = p->attempt;
	m->nrcpts = p->nrcpts;
	m->code = 0;
	memcpy(m->rcpts, rcpts, MARK_BYTES);
	snprintf(m->mx, sizeof(m->mx), "%s", mx);
	atomic_store_explicit(&m->state, MARK_SENT, memory_order_release);
	return (unsigned)(m - marks) + 1;
}

void
mark_end(unsigned mark, enum mark_state state, int code)
{
	struct mark *m;

	if (mark == 0 || marks == NULL)
		return;
	m = &marks[mark - 1];
	m->code = (uint32_t)code;
	atomic_store_explicit(&m->state, (uint8_t)state, memory_order_release);
}

void
mark_follow(uint64_t id, uint32_t n, uint32_t attempt)
{
	for (unsigned i = 0; marks != NULL && i < MARKS; i++)
		if (marks[i].state == MARK_SENT && marks[i].id == id &&
		    marks[i].n == n)
			marks[i].attempt = attempt;
}
