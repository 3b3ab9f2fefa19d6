/*
 * Nothing is given up because the clock was set, or because nothing ran.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "queue/clock.h"
#include "queue/group.h"
#include "queue/job.h"
#include "queue/settings.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

static struct conf conf = { .give_up_s = 5 * 86400, .journal_s = 30 * 86400 };
/* Of everybody's clocks, and of the wall's alone. */
static int64_t passed_ms, set_ms;

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);
	int64_t more = passed_ms + (clock == CLOCK_REALTIME ? set_ms : 0);

	ts->tv_sec += more / 1000;
	return r;
}

static void
end_turn(void *arg)
{
	(void)arg;
	loop_stop();
}

/* The loop sees what time it is. */
static void
turn(void)
{
	static struct timer t;

	if (!t.ready)
		timer_init(&t, end_turn, NULL);
	timer_set(&t, 1);
	loop_run();
}

static void
pass(int64_t ms)
{
	passed_ms += ms;
	turn();
}

static void
set(int64_t ms)
{
	set_ms += ms;
	turn();
}

/* Is the time of what began then over? */
static bool
is_over(int64_t begun_ms)
{
	return loop_wall_ms() - clock_begun(begun_ms) >= conf.give_up_s * 1000;
}

static int
begin(void **state)
{
	(void)state;
	turn();
	group_new_id();
	clock_start();
	return 0;
}

static void
times_as_they_are(void **state)
{
	int64_t at = loop_wall_ms();

	(void)state;
	assert_false(is_over(at));
	pass(5 * DAY_MS - HOUR_MS);
	assert_false(is_over(at));
	pass(HOUR_MS);
	assert_true(is_over(at));
	/* A little does not matter. */
	set(HOUR_MS / 2);
	assert_true(is_over(at));
	assert_true(clock_steady_ms() > 5 * DAY_MS);
}

static void
set_ahead(void **state)
{
	int64_t at = loop_wall_ms();

	(void)state;
	pass(DAY_MS);
	set(300 * DAY_MS);
	assert_false(is_over(at));
	assert_in_range(clock_steady_ms(), 0, 1000);
	pass(HOUR_MS);
	assert_false(is_over(at));
	/* It was true: a few hours are what is left. */
	pass(HOUR_MS);
	assert_true(is_over(at));
	assert_false(is_over(loop_wall_ms() - DAY_MS));
}

static void
set_back(void **state)
{
	int64_t at = loop_wall_ms();

	(void)state;
	set(-300 * DAY_MS);
	assert_false(is_over(at));
	assert_false(is_over(loop_wall_ms()));
	/* Of the time before, in the new one. */
	at = loop_wall_ms() - 5 * DAY_MS;
	assert_false(is_over(at));
	assert_true(clock_is_doubtful());
	assert_false(clock_is_settled());
	pass(2 * HOUR_MS);
	assert_true(is_over(at));
	assert_false(clock_is_doubtful());
	assert_true(clock_is_settled());
	set(300 * DAY_MS);
}

/* A machine that was off for a week tries for some hours. */
static void
slept(void **state)
{
	int64_t at = loop_wall_ms();

	(void)state;
	pass(7 * DAY_MS);
	clock_start();
	assert_false(is_over(at));
	pass(2 * HOUR_MS);
	assert_true(is_over(at));
	/* For a day: that changes nothing. */
	at = loop_wall_ms() - 4 * DAY_MS;
	group_new_id();
	pass(DAY_MS);
	clock_start();
	assert_true(is_over(at));
}

/* Who gives up soon has not more time than that. */
static void
in_short(void **state)
{
	int64_t at = loop_wall_ms();

	(void)state;
	conf.give_up_s = 60;
	set(DAY_MS);
	assert_false(is_over(at));
	pass(60000);
	assert_true(is_over(at));
	conf.give_up_s = 5 * 86400;
}

/* What came in the future came now, and waits as long as it was to. */
static void
put_back(void **state)
{
	const uint64_t now = 1700000000000, ahead = 400 * (uint64_t)DAY_MS;
	struct tx_options o = { .hold_until = (now + ahead) / 1000 + 3600,
		.by = now + ahead + 60000 };
	uint64_t accepted = now + ahead;

	(void)state;
	assert_true(letter_put_back(&accepted, &o, now));
	assert_int_equal(accepted, now);
	assert_int_equal(o.hold_until, now / 1000 + 3600);
	assert_int_equal(o.by, now + 60000);
	assert_false(letter_put_back(&accepted, &o, now));
	/* Clocks are a little apart. */
	accepted += (uint64_t)HOUR_MS;
	assert_false(letter_put_back(&accepted, &o, now));
	assert_int_equal(o.by, now + 60000);
	o = (struct tx_options){ 0 };
	accepted += ahead;
	assert_true(letter_put_back(&accepted, &o, now));
	assert_int_equal(o.hold_until, 0);
	assert_int_equal(o.by, 0);
}

#define CASE(f) cmocka_unit_test_setup(f, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(times_as_they_are),
		CASE(set_ahead),
		CASE(set_back),
		CASE(slept),
		CASE(in_short),
		cmocka_unit_test(put_back),
	};

	settings = &conf;
	loop_init();
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
