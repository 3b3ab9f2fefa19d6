/*
 * refill.c - see refill.h.
 */
#include "lib/log.h"
#include "lib/loop.h"
#include "queue/ahead.h"
#include "queue/flow.h"
#include "queue/ids.h"
#include "queue/refill.h"
#include "queue/settings.h"
#include "queue/settle.h"

#define SLICE 256
/* Rows in a row that found no place, and who asked has got what there is. */
#define FRUITLESS_MOST (4 * SLICE)
/* Looking at rows that find no place must not eat the processor: after it
 * comes a rest of so many times its length, and of more when nothing at all
 * came of a sweep.  Who asks meanwhile is served together with others. */
#define REST_LEAST 4
#define REST_MOST  32

#define BACK_MS 60000 /* more than a time server takes back without need */

/* One goes where rows are asked for, one through all that is due. */
struct walk {
	bool wanted, going;
	struct due_key from, at;
	unsigned admitted, fruitless;
	int64_t wasted_us; /* on rows that found no place */
	int64_t rest_until;
};

static struct walk near, far;
static struct due_key frontier, starved_from;
static bool sweeping, starved;
static uint64_t next_due;
static int rest;
static struct timer again;

static struct {
	unsigned n;
	uint64_t later; /* the time of the row behind, not due yet; 0 none */
	struct due_key keys[SLICE];
	struct due_row rows[SLICE];
} slice;

static void
wake_up(void *arg)
{
	(void)arg; /* refill_turn() does the rest */
}

static void
want(struct walk *w, const struct due_key *from)
{
	if (!w->wanted || due_compare(from, &w->from) < 0)
		w->from = *from;
	w->wanted = true;
}

void
refill_start(void)
{
	frontier = (struct due_key){ 0, 0, 0 };
	near = far = (struct walk){ .going = false };
	starved = sweeping = false;
	next_due = 0;
	rest = REST_LEAST;
	timer_init(&again, wake_up, NULL);
	want(&far, &frontier);
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
	    (far.going && due_compare(k, &far.at) < 0))
		want(&near, k);
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
		want(&near, &s->from);
	s->set = false;
}

static bool
gather(void *arg, const struct due_key *k, const struct due_row *row)
{
	const uint64_t *now = arg;

	if (k->time > *now) {
		slice.later = k->time;
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
	/* One that was held for its sender may be younger; its job knows.  It
	 * does, too, where ids run ahead of a clock that was set back. */
	int64_t age = loop_wall_ms() - id_time_ms(k->id);

	if (flow_row_suspended(row))
		return false;
	return age < 0 || age >= settings->give_up_s * 1000 ||
	    (row->marks & DUE_DEADLINE) ||
	    (!(row->marks & DUE_NOTICED) &&
		age >= settings->delay_notice_s * 1000);
}

/* Returns whether it is in memory now and was not before. */
static bool
consider(const struct due_key *k, const struct due_row *row)
{
	bool place;
	struct job *j;

	if (job_find(k->id, k->n) != NULL)
		return false;
	place = flow_has_place(k, row);
	if (!place && !overdue(k, row))
		return false;
	j = job_load(k->id, k->n);
	if (j == NULL || j->due != k->time) {
		log_event("warning", "text=%s",
		    log_quote("a row of the schedule has no job"));
		if (j != NULL)
			job_free(j);
		return false;
	}
	if (!place && settle_is_due(j)) {
		settle_unattempted(j);
		return true;
	}
	if (place && flow_admit(j))
		return true;
	job_free(j);
	return false;
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

/* Look at the next rows of a walk; false behind the last that is due. */
static bool
walk_slice(struct walk *w, uint64_t now)
{
	int64_t began = loop_exact_us(), looked;

	slice.n = 0;
	slice.later = 0;
	t_due_walk(&w->at, gather, &now);
	if (slice.n > 0)
		w->at = after(&slice.keys[slice.n - 1]);
	for (unsigned i = 0; i < slice.n; i++) {
		looked = loop_exact_us();
		if (consider(&slice.keys[i], &slice.rows[i])) {
			w->fruitless = 0;
			w->admitted++;
			began += loop_exact_us() - looked;
		} else {
			w->fruitless++;
		}
	}
	w->wasted_us += loop_exact_us() - began;
	return slice.n == SLICE;
}

static void
begin(struct walk *w, const struct due_key *from)
{
	w->going = true;
	w->at = *from;
	w->admitted = w->fruitless = 0;
	w->wasted_us = 0;
}

static void
end(struct walk *w, int times)
{
	w->going = false;
	w->rest_until = loop_now_ms() + times * w->wasted_us / 1000;
}

/* What it leaves behind is swept. */
static void
walk_near(uint64_t now)
{
	struct due_key was = near.at;
	bool more = walk_slice(&near, now);

	/* What is asked for meanwhile may lie behind it. */
	if (near.wanted && due_compare(&near.from, &was) >= 0 &&
	    (!more || due_compare(&near.from, &near.at) < 0))
		near.wanted = false;
	if (more && near.fruitless < FRUITLESS_MOST)
		return;
	end(&near, REST_LEAST);
	if (more)
		want(&far, &near.at);
}

static void
walk_far(uint64_t now)
{
	struct due_key done = { now, UINT64_MAX, UINT32_MAX };

	if (walk_slice(&far, now))
		return;
	next_due = slice.later;
	if (due_compare(&done, &frontier) > 0)
		frontier = done;
	if (!sweeping) {
		far.going = false;
		return;
	}
	sweeping = false;
	rest = far.admitted > 0 ? REST_LEAST : 2 * rest;
	if (rest > REST_MOST)
		rest = REST_MOST;
	end(&far, rest);
}

static bool
may_begin(const struct walk *w)
{
	return w->wanted && !w->going && loop_now_ms() >= w->rest_until;
}

static void
choose(uint64_t now)
{
	if (may_begin(&near)) {
		near.wanted = false;
		begin(&near, &near.from);
	}
	if (may_begin(&far)) {
		far.wanted = false;
		sweeping = true;
		begin(&far, &far.from);
	} else if (!far.going && next_due != 0 && next_due <= now) {
		begin(&far, &frontier);
	}
}

static int64_t
wait_for(const struct walk *w)
{
	if (w->going)
		return 0;
	return w->wanted ? w->rest_until - loop_now_ms() : INT64_MAX;
}

/* Where the clock was set back, what it has put off while it was ahead is too
 * far away; and how far was read says nothing: what became due once does so
 * again. */
static void
mind_clock(uint64_t now)
{
	static uint64_t before;

	if (before > now + BACK_MS)
		ahead_look();
	before = now;
	if (frontier.time <= now)
		return;
	frontier = (struct due_key){ 0, 0, 0 };
	near.going = near.wanted = far.going = sweeping = false;
	want(&far, &frontier);
}

void
refill_turn(void)
{
	uint64_t now = (uint64_t)loop_wall_ms();
	int64_t wait, other;

	mind_clock(now);
	if (starved && job_count() < JOBS_IN_MEMORY / 4 * 3) {
		starved = false;
		want(&near, &starved_from);
	}
	choose(now);
	if (near.going)
		walk_near(now);
	if (far.going)
		walk_far(now);
	wait = wait_for(&near);
	other = wait_for(&far);
	if (other < wait)
		wait = other;
	if (wait != INT64_MAX)
		timer_set(&again, wait > 0 ? wait : 0);
}
