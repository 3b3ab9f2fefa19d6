/*
 * The lanes are fair and bounded, and results come back on the loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/hasher.h"
#include "lib/loop.h"

#define SECRET "correct horse"
#define MD5    "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1"
#define JOBS   100

static struct hash_job jobs[JOBS];
static int order[JOBS], ndone, expected;

static void
on_done(struct hash_job *job)
{
	assert_string_equal(job->secret, "");
	order[ndone++] = (int)(job - jobs);
	if (ndone == expected)
		loop_stop();
}

static void
fill(int i, enum hash_op op, const char *hash)
{
	memset(&jobs[i], 0, sizeof(jobs[i]));
	jobs[i].op = op;
	jobs[i].done = on_done;
	strcpy(jobs[i].secret, SECRET);
	strcpy(jobs[i].hash, hash);
}

static bool
submit(int i, enum hash_op op, const char *hash, const char *lane)
{
	fill(i, op, hash);
	return hasher_submit(&jobs[i], lane, HASH_SECOND);
}

static bool
submit_turn(int i, const char *lane, enum hash_turn turn)
{
	fill(i, HASH_CHECK, MD5);
	return hasher_submit(&jobs[i], lane, turn);
}

static void
run(int n)
{
	ndone = 0;
	expected = n;
	loop_run();
}

/* Which was the n-th to be done? */
static int
place_of(int job)
{
	for (int i = 0; i < ndone; i++)
		if (order[i] == job)
			return i;
	return -1;
}

static void
checks_and_makes(void **state)
{
	char made[PASSWORD_HASH];

	(void)state;
	assert_true(submit(0, HASH_MAKE, "", "net"));
	assert_true(submit(1, HASH_CHECK, MD5, "net"));
	assert_true(submit(2, HASH_CHECK, "!", "net"));
	run(3);
	strcpy(made, jobs[0].fresh);
	assert_true(password_right(SECRET, made));
	/* Right, and weak: made anew at once. */
	assert_true(jobs[1].right);
	assert_true(password_right(SECRET, jobs[1].fresh));
	assert_false(jobs[2].right);
	assert_string_equal(jobs[2].fresh, "");
	assert_true(submit(0, HASH_CHECK, made, "net"));
	run(1);
	assert_true(jobs[0].right);
	assert_string_equal(jobs[0].fresh, "");
}

static void
a_crowd_does_not_delay_a_single_one(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		assert_true(submit(i, HASH_CHECK, MD5, "crowd"));
	assert_true(submit(30, HASH_CHECK, MD5, "single"));
	run(31);
	assert_true(place_of(30) < 15);
	/* Within a lane it is first come, first served, but for two workers. */
	assert_true(place_of(29) > 20);
}

static void
known_ones_go_first(void **state)
{
	char lane[16];
	int n = 0;

	(void)state;
	/* A crowd of strangers, each from elsewhere, takes all the room. */
	do
		snprintf(lane, sizeof(lane), "net%d", n);
	while (submit_turn(n, lane, HASH_SECOND) && ++n < 80);
	assert_in_range(n, 60, 75);
	assert_true(submit_turn(80, "net1", HASH_LAST));
	assert_true(submit_turn(81, "other", HASH_LAST));
	assert_true(submit_turn(82, "net1", HASH_FIRST));
	run(n + 3);
	/* Those under way come before it, at most. */
	assert_true(place_of(82) < 20);
	assert_true(place_of(80) > n - 20 && place_of(81) > n - 20);
}

static void
a_lane_leaves_room_for_others(void **state)
{
	int n = 0, others = 0;

	(void)state;
	while (n < 64 && submit(n, HASH_CHECK, MD5, "crowd"))
		n++;
	assert_in_range(n, 32, 40);
	while (n + others < JOBS - 10 &&
	    submit(n + others, HASH_CHECK, MD5, "others"))
		others++;
	assert_in_range(others, 10, 40);
	/* The operator is never turned away. */
	for (int i = JOBS - 10; i < JOBS; i++)
		assert_true(submit(i, HASH_CHECK, MD5, ""));
	run(n + others + 10);
	assert_int_equal(ndone, n + others + 10);
}

static void
stopping_drops_what_waits(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		assert_true(submit(i, HASH_CHECK, MD5, "net"));
	ndone = 0;
	hasher_stop();
	assert_int_equal(ndone, 0);
	for (int i = 0; i < 20; i++)
		assert_string_equal(jobs[i].secret, "");
	/* And it can be used again. */
	assert_true(submit(0, HASH_CHECK, MD5, "net"));
	run(1);
	assert_true(jobs[0].right);
}

static int
teardown(void **state)
{
	(void)state;
	hasher_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_and_makes),
		cmocka_unit_test(a_crowd_does_not_delay_a_single_one),
		cmocka_unit_test(known_ones_go_first),
		cmocka_unit_test(a_lane_leaves_room_for_others),
		cmocka_unit_test(stopping_drops_what_waits),
	};

	loop_init();
	return cmocka_run_group_tests(tests, NULL, teardown);
}
