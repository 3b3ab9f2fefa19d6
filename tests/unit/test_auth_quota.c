/*
 * Recipients are counted over sliding windows, and a refusal knows when they
 * fit again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/quota.h"

#define ALICE "alice@example.org"
#define HOUR  3600

static int64_t wait_s;

static enum quota
charge(uint32_t n, int64_t now)
{
	return quota_charge(ALICE, n, 300, 2000, now, &wait_s);
}

static int
teardown(void **state)
{
	(void)state;
	quota_close();
	return 0;
}

static void
an_hour_has_a_limit(void **state)
{
	uint32_t hour, day;

	(void)state;
	assert_int_equal(charge(100, 10), QUOTA_OK);
	assert_int_equal(charge(200, 70), QUOTA_OK);
	assert_int_equal(charge(1, 130), QUOTA_HOUR);
	/* The 100 of minute 0 leave when minute 60 begins. */
	assert_int_equal(wait_s, HOUR - 130);
	assert_int_equal(charge(100, HOUR - 1), QUOTA_HOUR);
	assert_int_equal(charge(100, HOUR), QUOTA_OK);
	assert_int_equal(charge(1, HOUR), QUOTA_HOUR);
	assert_int_equal(wait_s, 60);
	quota_sent(ALICE, HOUR, &hour, &day);
	assert_int_equal(hour, 300);
	assert_int_equal(day, 400);
	/* What was refused was not charged, and another account is another. */
	assert_int_equal(
	    quota_charge("b@x", 300, 300, 2000, HOUR, &wait_s), QUOTA_OK);
	quota_sent("nobody@x", HOUR, &hour, &day);
	assert_int_equal(hour + day, 0);
}

static void
the_time_told_is_true(void **state)
{
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 30; i++, now += 61)
		assert_int_equal(charge(10, now), QUOTA_OK);
	assert_int_equal(charge(25, now), QUOTA_HOUR);
	assert_true(wait_s > 0);
	now += wait_s;
	assert_int_equal(charge(25, now - 1), QUOTA_HOUR);
	assert_int_equal(charge(25, now), QUOTA_OK);
}

static void
a_day_has_a_limit(void **state)
{
	int64_t now = 5;

	(void)state;
	for (int i = 0; i < 6; i++, now += HOUR)
		assert_int_equal(charge(300, now), QUOTA_OK);
	assert_int_equal(charge(200, now), QUOTA_OK);
	now += HOUR;
	assert_int_equal(charge(1, now), QUOTA_DAY);
	/* Hour 0 leaves when hour 24 begins. */
	assert_int_equal(wait_s, 24 * HOUR - now);
	assert_int_equal(charge(300, now + wait_s), QUOTA_OK);
	/* Days later all is forgotten. */
	now += 100 * HOUR;
	assert_int_equal(charge(300, now), QUOTA_OK);
}

static void
too_many_at_once_never_fit(void **state)
{
	(void)state;
	assert_int_equal(charge(301, 10), QUOTA_HOUR);
	assert_int_equal(wait_s, -1);
	assert_int_equal(charge(2001, 10), QUOTA_DAY);
	assert_int_equal(wait_s, -1);
	assert_int_equal(charge(UINT32_MAX, 10), QUOTA_DAY);
	assert_int_equal(wait_s, -1);
	assert_int_equal(charge(300, 10), QUOTA_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_hour_has_a_limit, teardown),
		cmocka_unit_test_teardown(the_time_told_is_true, teardown),
		cmocka_unit_test_teardown(a_day_has_a_limit, teardown),
		cmocka_unit_test_teardown(too_many_at_once_never_fit, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
