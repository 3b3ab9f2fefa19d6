/*
 * clock.c - see clock.h.
 */
#include <stdlib.h>

#include "lib/loop.h"
#include "queue/clock.h"
#include "queue/group.h"
#include "queue/ids.h"
#include "queue/settings.h"
#include "queue/t_journal.h"

#define HOUR_MS    ((int64_t)3600 * 1000)
#define CALM_MS    (2 * HOUR_MS) /* a clock that was set may be set again */
#define SILENCE_MS (30 * 24 * HOUR_MS)
#define WEEK_MS    (7 * 24 * HOUR_MS)

static bool known;
static int64_t ahead_ms; /* the wall clock, of the one that only grows */
static int64_t set_at;   /* by that one; or when the process started */
static int64_t doubtful; /* the same; 0: it was not set, and nobody slept */

static void
look(void)
{
	int64_t was = ahead_ms;

	ahead_ms = loop_wall_ms() - loop_now_ms();
	if (!known) {
		set_at = loop_now_ms();
	} else if (llabs(ahead_ms - was) > HOUR_MS) {
		set_at = loop_now_ms();
		doubtful = set_at;
	}
	known = true;
}

/* How long ago the last message came. */
static int64_t
silence(void)
{
	return loop_wall_ms() - id_time_ms(group_totals()->last_id);
}

void
clock_start(void)
{
	known = false;
	doubtful = 0;
	look();
	if (group_totals()->last_id != 0 &&
	    silence() >= settings->give_up_s * 1000)
		doubtful = set_at;
}

int64_t
clock_steady_ms(void)
{
	look();
	return loop_now_ms() - set_at;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool
take_time(void *arg, uint64_t time, uint64_t seq, const struct journal_row *j)
{
	(void)seq, (void)j;
	*(uint64_t *)arg = time;
	return false;
}

/* Nearly all the time that it is kept, and some days at least: behind a clock
 * that has just been set back there would be nothing. */
static bool
journal_goes_back(void)
{
	int64_t far = least(settings->journal_s * 1000, SILENCE_MS) / 10 * 9;
	uint64_t first = UINT64_MAX;

	t_journal_walk(0, 0, take_time, &first);
	return far >= CALM_MS && first != UINT64_MAX &&
	    (int64_t)first <= loop_wall_ms() - far;
}

/*
 * Does nothing speak against it?  The last message does when it came long ago,
 * for a week, or is of the future, unless by then the journal goes back so far
 * that the clock must have been ahead when it came.
 */
static bool
is_likely(void)
{
	int64_t age = silence();

	if (age < 0)
		return clock_steady_ms() >= WEEK_MS && journal_goes_back();
	return age < SILENCE_MS || clock_steady_ms() >= WEEK_MS;
}

bool
clock_is_settled(void)
{
	return clock_steady_ms() >= least(CALM_MS, settings->give_up_s * 1000);
}

bool
clock_is_doubtful(void)
{
	look();
	return doubtful != 0 && loop_now_ms() - doubtful < CALM_MS;
}

bool
clock_may_forget(int64_t keep_ms)
{
	return clock_steady_ms() >= least(CALM_MS, keep_ms) && is_likely();
}

int64_t
clock_begun(int64_t begun_ms)
{
	int64_t give_up = settings->give_up_s * 1000, from;

	look();
	if (doubtful == 0)
		return begun_ms;
	from = doubtful + ahead_ms + least(CALM_MS, give_up) - give_up;
	return begun_ms > from ? begun_ms : from;
}
