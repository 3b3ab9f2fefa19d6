/*
 * berths.c - see berths.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <uthash.h>

#include "deliver/berths.h"
#include "lib/loop.h"

struct berths {
	uint64_t dest;
	unsigned refs; /* jobs and connections */
	unsigned width;
	unsigned taken, leaving; /* the ones among the others */
	unsigned nwaiting;
	TAILQ_HEAD(, berth_wait) waiting;
	struct timer turn; /* of the first in line */
	UT_hash_handle hh;
};

static struct berths *all;

static struct berths *
find(uint64_t dest)
{
	struct berths *b;

	HASH_FIND(hh, all, &dest, sizeof(dest), b);
	return b;
}

static bool
has_room(const struct berths *b)
{
	return b->taken < b->width;
}

/* The first in line is called when there is room. */
static void
call(struct berths *b)
{
	if (b->nwaiting > 0 && has_room(b))
		timer_set(&b->turn, 0);
}

/* One at a time: the first may need more than one turn of the loop to take
 * what it waited for. */
static void
next_in_line(void *arg)
{
	struct berths *b = arg;
	struct berth_wait *w = TAILQ_FIRST(&b->waiting);

	if (w == NULL || !has_room(b))
		return;
	b->refs++;
	berths_unwait(w);
	w->go(w->arg);
	call(b);
	berths_put(b);
}

static struct berths *
make(uint64_t dest)
{
	struct berths *b = calloc(1, sizeof(*b));

	if (b == NULL)
		abort();
	b->dest = dest;
	TAILQ_INIT(&b->waiting);
	timer_init(&b->turn, next_in_line, b);
	HASH_ADD(hh, all, dest, sizeof(b->dest), b);
	return b;
}

struct berths *
berths_for(uint64_t dest, unsigned width)
{
	struct berths *b = find(dest);

	if (b == NULL)
		b = make(dest);
	b->refs++;
	b->width = width;
	call(b);
	return b;
}

void
berths_put(struct berths *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	assert(b->taken == 0 && b->nwaiting == 0);
	timer_clear(&b->turn);
	HASH_DEL(all, b);
	free(b);
}

struct berths *
berths_tell(uint64_t dest, unsigned width)
{
	struct berths *b = find(dest);

	if (b != NULL) {
		b->width = width;
		call(b);
	}
	return b;
}

/* Who stands in line is before who comes. */
bool
berths_free(const struct berths *b)
{
	return b == NULL || (b->nwaiting == 0 && has_room(b));
}

bool
berths_crowded(const struct berths *b)
{
	return b != NULL && b->taken - b->leaving + b->nwaiting > b->width;
}

void
berths_take(struct berths *b)
{
	if (b == NULL)
		return;
	b->refs++;
	b->taken++;
}

void
berths_leaving(struct berths *b)
{
	if (b != NULL)
		b->leaving++;
}

void
berths_leave(struct berths *b, bool leaving)
{
	if (b == NULL)
		return;
	assert(b->taken > 0 && b->leaving >= leaving);
	b->taken--;
	b->leaving -= leaving;
	call(b);
	berths_put(b);
}

void
berths_wait(
    struct berths *b, struct berth_wait *w, void (*go)(void *), void *arg)
{
	*w = (struct berth_wait){ .at = b, .go = go, .arg = arg };
	TAILQ_INSERT_TAIL(&b->waiting, w, entry);
	b->nwaiting++;
}

void
berths_unwait(struct berth_wait *w)
{
	struct berths *b = w->at;

	if (b == NULL)
		return;
	w->at = NULL;
	TAILQ_REMOVE(&b->waiting, w, entry);
	b->nwaiting--;
}
