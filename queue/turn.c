/*
 * turn.c - see turn.h.
 */
#include "lib/loop.h"
#include "queue/settings.h"
#include "queue/turn.h"

#define WINDOW_MS 60000 /* landings are counted by it, in this and the last */

static TAILQ_HEAD(, account) turn = TAILQ_HEAD_INITIALIZER(turn);
/* Those who have their share of what may be in flight. */
static TAILQ_HEAD(, account) sated = TAILQ_HEAD_INITIALIZER(sated);
static unsigned nflying;

static int64_t
window(void)
{
	return loop_now_ms() / WINDOW_MS;
}

/* Flights that landed in the last minute or two. */
static unsigned
landed_lately(const struct account *a)
{
	int64_t past = window() - a->window;

	return (past == 0 ? a->landed + a->landed_before : 0) +
	    (past == 1 ? a->landed : 0);
}

static void
count_landing(struct account *a)
{
	int64_t past = window() - a->window;

	if (past != 0) {
		a->landed_before = past == 1 ? a->landed : 0;
		a->landed = 0;
		a->window += past;
	}
	a->landed++;
}

/*
 * Who has many under way of which none lands writes to servers that take their
 * time, and would have all the sooner what others need.  As many as land in a
 * minute or two may fly: those take no longer than that.
 */
bool
turn_may_fly(const struct account *a)
{
	unsigned left;

	if (nflying >= settings->in_flight)
		return false;
	left = settings->in_flight - nflying;
	return a->flying < 2 * left && a->flying <= left / 2 + landed_lately(a);
}

void
turn_yield(struct account *a)
{
	TAILQ_REMOVE(&turn, a, turn);
	TAILQ_INSERT_TAIL(&turn, a, turn);
}

void
turn_join(struct account *a)
{
	if (a->in_turn || a->sated || a->suspended || TAILQ_EMPTY(&a->runnable))
		return;
	a->in_turn = true;
	TAILQ_INSERT_TAIL(&turn, a, turn);
}

void
turn_leave(struct account *a)
{
	if (a->in_turn)
		TAILQ_REMOVE(&turn, a, turn);
	if (a->sated)
		TAILQ_REMOVE(&sated, a, turn);
	a->in_turn = a->sated = false;
}

void
turn_sate(struct account *a)
{
	turn_leave(a);
	a->sated = true;
	TAILQ_INSERT_TAIL(&sated, a, turn);
}

/* Whoever waits longest of those who may go on: the first may be one who has
 * much too many. */
static void
revive(void)
{
	struct account *a;

	TAILQ_FOREACH (a, &sated, turn)
		if (turn_may_fly(a)) {
			turn_leave(a);
			turn_join(a);
			return;
		}
}

struct account *
turn_first(void)
{
	if (TAILQ_EMPTY(&turn))
		revive();
	return TAILQ_FIRST(&turn);
}

void
turn_take_off(struct account *a)
{
	a->flying++;
	nflying++;
}

void
turn_land(struct account *a)
{
	a->flying--;
	nflying--;
	count_landing(a);
	revive();
}
