/*
 * flow_place.c - see flow.h: is there place for one more?
 */
#include "queue/flow_parts.h"

/* While a destination is probed, its flows hold only this many. */
#define PROBE_READY 2

/*
 * How many jobs a flow may hold: its part of memory, and half of the room that
 * is left at most, so that a new flow always finds some.  Equal parts run out
 * together, and then one walk through the schedule refills them all.
 */
unsigned
flow_room(const struct dest *d)
{
	unsigned used = job_count(), part, left;

	if (d->pace.failures > 0)
		return PROBE_READY;
	part = JOBS_IN_MEMORY / (flow_count() + 1) + 1;
	left = used < JOBS_IN_MEMORY ? (JOBS_IN_MEMORY - used) / 2 : 0;
	return part < left ? part : left;
}

/* The same for an account with all its flows: as much as it leaves free. */
static bool
has_room(const struct account *a)
{
	return a->jobs + job_count() < JOBS_IN_MEMORY;
}

bool
flow_takes(struct account *a, struct dest *d, const struct due_key *k)
{
	struct flow *f;
	unsigned n;

	if (a != NULL && a->suspended) {
		skip_note(&a->skip, k);
		return false;
	}
	if (a != NULL && a->jobs > 0 && !has_room(a)) {
		skip_note(&a->skip, k);
		return false;
	}
	if (d == NULL)
		return true;
	if (dest_waiting(d)) {
		skip_note(&d->skip, k);
		return false;
	}
	f = a != NULL ? flow_find(a, d) : NULL;
	n = f != NULL ? f->ready.n : 0;
	if (n < flow_room(d))
		return true;
	if (f != NULL && f->jobs > 0)
		skip_note(&f->skip, k);
	else
		refill_starved(k); /* nothing of it will land and ask again */
	return false;
}

/* Earlier rows of its flow were passed over, and will be asked for soon. */
static bool
earlier_wait(struct account *a, struct dest *d, const struct due_key *k)
{
	struct flow *f = a != NULL && d != NULL ? flow_find(a, d) : NULL;

	return f != NULL && f->ready.n > 0 && f->skip.set &&
	    due_compare(&f->skip.from, k) < 0;
}

bool
flow_has_place(const struct due_key *k, const struct due_row *row)
{
	struct account *a = account_find(row->account);
	struct dest *d = dest_by_row(row);

	return !earlier_wait(a, d, k) && flow_takes(a, d, k);
}

bool
flow_row_suspended(const struct due_row *row)
{
	struct account *a = account_find(row->account);

	return a != NULL && a->suspended;
}
