/*
 * refill.c - see refill.h.
 */
#include "queue/refill.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "queue/flow.h"
#include "queue/ids.h"
#include "queue/settings.h"
#include "queue/settle.h"

#define SLICE 256
/* A walk over rows that all find no place must not eat the processor: after
 * it comes a rest of so many times its length. */
#define REST 4

static struct due_key frontier, wanted_from, starved_from, at;
static bool wanted, starved, walking;
static uint64_t next_due;
static int64_t walk_began, rest_until;
static struct timer again;

static struct {
	unsigned n;
	struct due_key keys[SLICE];
	struct due_row rows[SLICE];
} slice;

static void
wake_up(void *arg)
{
	(void)arg; /* refill_turn() does the rest */
}

void
refill_start(void)
{
	frontier = (struct due_key){ 0, 0, 0 };
	starved = walking = false;
	next_due = 0;
	rest_until = 0;
	timer_init(&again, wake_up, NULL);
	refill_want(&frontier);
}

void
refill_want(const struct due_key *k)
{
	if (!wanted || due_compare(k, &wanted_from) < 0)
		wanted_from = *k;
	wanted = true;
}

void
refill_starved(const struct due_key *k)
{
	if (!starved || due_compare(k, &starved_from) < 0)
		starved_from = *k;
	starved = true;
}

void
refill_expect(const struct due_key *k)
{
	if (due_compare(k, &frontier) <= 0 ||
	    (walking && due_compare(k, &at) < 0))
		refill_want(k);
	else if (next_due == 0 || k->time < next_due)
		next_due = k->time;
}

void
skip_note(struct skip *s, const struct due_key *k)
{
	if (!s->set || due_compare(k, &s->from) < 0)
		s->from = *k;
	s->set = true;
}

void
skip_ask(struct skip *s)
{
	if (s->set)
		refill_want(&s->from);
	s->set = false;
}

static bool
gather(void *arg, const struct due_key *k, const struct due_row *row)
{
	const uint64_t *now = arg;

	if (k->time > *now) {
		next_due = k->time;
		return false;
	}
	slice.keys[slice.n] = *k;
	slice.rows[slice.n++] = *row;
	return slice.n < SLICE;
}

/*
 * A message that waits behind a silent destination is not tried, but its
 * sender must hear of it all the same, and its time runs out.
 */
static bool
overdue(const struct due_key *k, const struct due_row *row)
{
	/* One that was held for its sender may be younger; its job knows. */
	int64_t age = loop_wall_ms() - id_time_ms(k->id);

	if (flow_row_suspended(row))
		return false;
	return age >= settings->give_up_s * 1000 ||
	    (row->marks & DUE_DEADLINE) ||
	    (!(row->marks & DUE_NOTICED) &&
		age >= settings->delay_notice_s * 1000);
}

static void
consider(const struct due_key *k, const struct due_row *row)
{
	bool place;
	struct job *j;

	if (job_find(k->id, k->n) != NULL)
		return;
	place = flow_has_place(k, row);
	if (!place && !overdue(k, row))
		return;
	j = job_load(k->id, k->n);
	if (j == NULL || j->due != k->time) {
		log_event("warning", "text=%s",
		    log_quote("a row of the schedule has no job"));
		if (j != NULL)
			job_free(j);
		return;
	}
	if (!place && settle_is_due(j))
		settle_unattempted(j);
	else if (!place)
		job_free(j);
	else if (!flow_admit(j))
		job_free(j);
}

/* The row behind k. */
static struct due_key
after(const struct due_key *k)
{
	struct due_key next = *k;

	if (++next.n == 0 && ++next.id == 0)
		next.time++;
	return next;
}

static void
begin(void)
{
	at = frontier;
	if (wanted && due_compare(&wanted_from, &at) < 0)
		at = wanted_from;
	wanted = false;
	walking = true;
	walk_began = loop_now_ms();
}

static void
end(uint64_t now)
{
	struct due_key done = { now, UINT64_MAX, UINT32_MAX };

	walking = false;
	if (due_compare(&done, &frontier) > 0)
		frontier = done;
	rest_until = loop_now_ms() + REST * (loop_now_ms() - walk_began);
}

static void
walk_slice(void)
{
	uint64_t now = (uint64_t)loop_wall_ms();

	slice.n = 0;
	next_due = 0;
	t_due_walk(&at, gather, &now);
	for (unsigned i = 0; i < slice.n; i++)
		consider(&slice.keys[i], &slice.rows[i]);
	if (slice.n == SLICE)
		at = after(&slice.keys[SLICE - 1]);
	else
		end(now);
}

void
refill_turn(void)
{
	uint64_t now = (uint64_t)loop_wall_ms();

	if (starved && job_count() < JOBS_IN_MEMORY / 4 * 3) {
		starved = false;
		refill_want(&starved_from);
	}
	if (!walking && loop_now_ms() >= rest_until &&
	    (wanted || (next_due != 0 && next_due <= now)))
		begin();
	if (walking)
		walk_slice();
	if (walking || wanted)
		timer_set(&again, walking ? 0 : rest_until - loop_now_ms());
}

uint64_t
refill_next_due(void)
{
	return next_due;
}
