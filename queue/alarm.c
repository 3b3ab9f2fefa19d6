/*
 * alarm.c - see alarm.h.
 */
#include <stdlib.h>

#include "queue/alarm.h"

static struct alarm **heap; /* heap[0] is not used */
static size_t count, room;

static void
put(struct alarm *a, size_t place)
{
	heap[place] = a;
	a->place = place;
}

static void
rise(struct alarm *a)
{
	size_t at = a->place;

	for (; at > 1 && heap[at / 2]->at > a->at; at /= 2)
		put(heap[at / 2], at);
	put(a, at);
}

static void
sink(struct alarm *a)
{
	size_t at = a->place, child;

	for (; (child = 2 * at) <= count; at = child) {
		if (child < count && heap[child + 1]->at < heap[child]->at)
			child++;
		if (heap[child]->at >= a->at)
			break;
		put(heap[child], at);
	}
	put(a, at);
}

void
alarm_set(struct alarm *a, int64_t at_ms)
{
	if (a->place == 0 && ++count >= room) {
		room = room ? 2 * room : 64;
		if ((heap = reallocarray(heap, room, sizeof(*heap))) == NULL)
			abort();
	}
	if (a->place == 0)
		put(a, count);
	a->at = at_ms;
	rise(a);
	sink(a);
}

void
alarm_clear(struct alarm *a)
{
	struct alarm *last;

	if (a->place == 0)
		return;
	last = heap[count--];
	if (last != a) {
		put(last, a->place);
		rise(last);
		sink(last);
	}
	a->place = 0;
}

struct alarm *
alarm_ring(int64_t now_ms)
{
	struct alarm *a = count > 0 ? heap[1] : NULL;

	if (a == NULL || a->at > now_ms)
		return NULL;
	alarm_clear(a);
	return a;
}

int64_t
alarm_next(void)
{
	return count > 0 ? heap[1]->at : 0;
}
