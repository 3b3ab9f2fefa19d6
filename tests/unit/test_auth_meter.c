/*
 * A bucket takes so much at once and drains over its period.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/meter.h"

#define HOUR ((uint64_t)3600 * 1000)
#define T0   ((uint64_t)1700000000 * 1000)

static const struct meter_rate rate = { 300, HOUR };

static void
it_fills_and_drains(void **state)
{
	struct meter m = { 0 };

	(void)state;
	assert_int_equal(meter_level(&m, rate, T0), 0);
	assert_int_equal(meter_wait_ms(&m, rate, 300, T0), 0);
	meter_add(&m, rate, 300, T0);
	assert_int_equal(meter_level(&m, rate, T0), 300);
	/* One drains in twelve seconds. */
	assert_int_equal(meter_wait_ms(&m, rate, 1, T0), 12000);
	assert_int_equal(meter_wait_ms(&m, rate, 1, T0 + 11000), 1000);
	assert_int_equal(meter_wait_ms(&m, rate, 1, T0 + 12000), 0);
	assert_int_equal(meter_wait_ms(&m, rate, 300, T0), HOUR);
	assert_int_equal(meter_level(&m, rate, T0 + HOUR / 2), 150);
	assert_int_equal(meter_level(&m, rate, T0 + 2 * HOUR), 0);
	meter_undo(&m, 100);
	assert_int_equal(meter_level(&m, rate, T0), 200);
	meter_undo(&m, 1000);
	assert_int_equal(meter_level(&m, rate, T0), 0);
}

static void
the_time_told_is_true(void **state)
{
	struct meter m = { 0 };
	int64_t wait;

	(void)state;
	for (uint64_t n = 1; n <= 299; n += 7) {
		meter_add(&m, rate, n, T0 + n * 997);
		wait = meter_wait_ms(&m, rate, 300, T0 + n * 997);
		assert_true(wait > 0);
		assert_int_equal(
		    meter_wait_ms(&m, rate, 300, T0 + n * 997 + (uint64_t)wait),
		    0);
		assert_true(meter_wait_ms(&m, rate, 300,
				T0 + n * 997 + (uint64_t)wait - 2) > 0);
	}
}

static void
asking_often_does_not_stop_it(void **state)
{
	const struct meter_rate slow = { 10, 24 * HOUR };
	struct meter m = { 0 };

	(void)state;
	meter_add(&m, slow, 10, T0);
	for (uint64_t t = 0; t < HOUR; t += 7)
		meter_add(&m, slow, 0, T0 + t);
	assert_int_equal(
	    meter_wait_ms(&m, slow, 1, T0 + 24 * HOUR / 10 + 100), 0);
}

static void
what_is_absurd_is_survived(void **state)
{
	const struct meter_rate none = { 0, HOUR }, all = { UINT64_MAX, HOUR };
	struct meter m = { 0 };

	(void)state;
	assert_int_equal(meter_wait_ms(&m, none, 1, T0), -1);
	assert_int_equal(meter_wait_ms(&m, rate, 301, T0), -1);
	assert_int_equal(meter_wait_ms(&m, rate, UINT32_MAX, T0), -1);
	for (int i = 0; i < 100; i++)
		meter_add(&m, all, UINT32_MAX, T0);
	assert_true(meter_level(&m, all, T0) > 0);
	/* A clock that goes back. */
	m = (struct meter){ 0 };
	meter_add(&m, rate, 300, T0);
	assert_int_equal(meter_level(&m, rate, T0 - HOUR), 300);
	assert_int_equal(meter_wait_ms(&m, rate, 1, 0), 12000);
	m = (struct meter){ UINT64_MAX, 0 };
	assert_true(meter_level(&m, rate, 0) > 0);
	meter_undo(&m, UINT32_MAX);
	assert_int_equal(m.used, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_fills_and_drains),
		cmocka_unit_test(the_time_told_is_true),
		cmocka_unit_test(asking_often_does_not_stop_it),
		cmocka_unit_test(what_is_absurd_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
