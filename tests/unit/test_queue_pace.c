/*
 * How much a destination gets, and when: over simulated time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "queue/pace.h"

#define START  1700000000000 /* unix ms */
#define MIDDLE 512           /* no jitter, nearly */

static const struct conf conf = { .retry_s = { 60, 300, 600 }, .nretries = 3 };
static const struct pace_bounds wide = { .most = 20 };

static bool
hear(struct pace *p, enum landing how, uint32_t epoch, int64_t now)
{
	return pace_hear(p, &wide, how, epoch, true, &conf, now, MIDDLE);
}

/* Let as many go as may; returns how many. */
static unsigned
fill(struct pace *p, int64_t now)
{
	unsigned n = 0;

	while (pace_may(p, &wide, now)) {
		pace_take_off(p, &wide, now);
		n++;
	}
	return n;
}

/* All that fly land so. */
static void
land_all(struct pace *p, enum landing how, int64_t now)
{
	uint32_t epoch = p->epoch;
	unsigned n = p->flying;

	for (unsigned i = 0; i < n; i++)
		pace_land(p, epoch);
	for (unsigned i = 0; i < n; i++)
		hear(p, how, epoch, now);
}

static void
one_goes_first(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	assert_int_equal(fill(&p, START), 1);
	pace_contact(&p);
	assert_int_equal(fill(&p, START), PACE_START - 1);
}

static void
grows_and_shrinks(void **state)
{
	static const unsigned rounds[] = { 1, 6, 12, 20, 20 };
	struct pace p;
	unsigned width;

	(void)state;
	pace_init(&p);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(fill(&p, START + i), rounds[i]);
		land_all(&p, LANDED_WELL, START + i);
	}
	/* However many of them say 421: it is told once. */
	assert_int_equal(fill(&p, START + 10), 20);
	land_all(&p, LANDED_BUSY, START + 10);
	assert_int_equal(fill(&p, START + 11), 10);
	land_all(&p, LANDED_SQUEEZED, START + 11);
	/* From there on it gains one in ten rounds. */
	for (width = 50; width < 90; width++) {
		assert_int_equal(fill(&p, START + 12), width / 10);
		land_all(&p, LANDED_WELL, START + 12);
	}
	/* Nobody waits: it does not grow. */
	assert_int_equal(fill(&p, START + 13), 9);
	for (unsigned i = 0; i < 9; i++) {
		pace_land(&p, p.epoch);
		pace_hear(&p, &wide, LANDED_WELL, p.epoch, false, &conf,
		    START + 14, MIDDLE);
	}
	assert_int_equal(fill(&p, START + 15), 9);
}

static void
refusal_at_the_least_stops(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	fill(&p, START);
	land_all(&p, LANDED_WELL, START);
	for (unsigned width = 6; width > 0; width /= 2) {
		assert_int_equal(fill(&p, START), width);
		land_all(&p, LANDED_BUSY, START);
	}
	assert_in_range(p.retry_at, START + 54000, START + 66000);
	assert_int_equal(fill(&p, START), 0);
}

static void
one_probe_for_all(void **state)
{
	static const int64_t waits[] = { 60, 300, 600, 600 };
	int64_t now = START;
	struct pace p;

	(void)state;
	pace_init(&p);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(fill(&p, now), 1);
		pace_land(&p, p.epoch);
		assert_true(hear(&p, LANDED_NOWHERE, p.epoch, now));
		assert_int_equal(p.failures, i + 1);
		assert_int_equal(p.since, START);
		assert_in_range(
		    p.retry_at, now + waits[i] * 900, now + waits[i] * 1100);
		assert_int_equal(fill(&p, p.retry_at - 1), 0);
		now = p.retry_at;
		pace_wake(&p);
	}
	assert_int_equal(fill(&p, now), 1);
	land_all(&p, LANDED_ANSWERED, now);
	assert_int_equal(p.failures, 0);
	assert_int_equal(p.since, 0);
	assert_int_equal(fill(&p, now), PACE_START);
}

/* A server goes away while twenty talk to it: their twenty failures are one,
 * and of those behind them one looks. */
static void
many_failures_are_one(void **state)
{
	struct pace p;
	uint32_t old;

	(void)state;
	pace_init(&p);
	for (unsigned i = 0; i < 5; i++) {
		fill(&p, START);
		land_all(&p, LANDED_WELL, START);
	}
	assert_int_equal(fill(&p, START), 20);
	old = p.epoch;
	pace_land(&p, old);
	assert_false(hear(&p, LANDED_NOWHERE, old, START));
	/* Within the new width, of which those of before are still more. */
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(fill(&p, START), 0);
		assert_int_equal(pace_width(&p, &wide), 10);
		pace_land(&p, old);
		assert_false(hear(&p, LANDED_NOWHERE, old, START));
	}
	pace_land(&p, old);
	assert_int_equal(fill(&p, START), 1);
	for (unsigned i = 0; i < 8; i++) {
		pace_land(&p, old);
		assert_false(hear(&p, LANDED_NOWHERE, old, START));
	}
	assert_int_equal(p.failures, 1);
	pace_land(&p, p.epoch);
	assert_true(hear(&p, LANDED_NOWHERE, p.epoch, START + 30000));
	/* The last one had luck after all: why wait? */
	pace_land(&p, old);
	hear(&p, LANDED_WELL, old, START + 31000);
	assert_int_equal(p.retry_at, START + 31000);
}

/* In no minute more than the rate says, and not much less in an hour. */
static void
keeps_the_rate(void **state)
{
	const struct pace_bounds b = { .most = 20, .interval_us = 3000000 };
	int64_t times[2000];
	unsigned n = 0, first = 0;
	struct pace p;

	(void)state;
	pace_init(&p);
	pace_contact(&p);
	for (int64_t now = START; now < START + 3600000; now += 37)
		while (pace_may(&p, &b, now)) {
			uint32_t epoch = pace_take_off(&p, &b, now);

			pace_land(&p, epoch);
			times[n++] = now;
			while (times[first] <= now - 60000)
				first++;
			assert_true(n - first <= 21);
		}
	assert_in_range(n, 1190, 1201);
	/* After a pause it does not catch up. */
	assert_true(pace_may(&p, &b, START + 7200000));
	pace_take_off(&p, &b, START + 7200000);
	assert_false(pace_may(&p, &b, START + 7200000));
	assert_in_range(pace_free_ms(&p), START + 7202900, START + 7203000);
}

static void
a_fast_rate_is_kept_too(void **state)
{
	const struct pace_bounds b = { .most = 20, .interval_us = 1000 };
	unsigned n = 0;
	struct pace p;

	(void)state;
	pace_init(&p);
	pace_contact(&p);
	for (int64_t now = START; now < START + 10000; now += 20)
		while (pace_may(&p, &b, now)) {
			pace_land(&p, pace_take_off(&p, &b, now));
			n++;
		}
	assert_in_range(n, 9900, 10060);
}

static void
an_admin_has_the_last_word(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	for (unsigned i = 0; i < 3; i++) {
		fill(&p, START);
		land_all(&p, LANDED_NOWHERE, START);
		pace_wake(&p);
	}
	fill(&p, START);
	land_all(&p, LANDED_NOWHERE, START);
	pace_forgive(&p);
	assert_int_equal(p.failures, 0);
	assert_int_equal(fill(&p, START), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_goes_first),
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(refusal_at_the_least_stops),
		cmocka_unit_test(one_probe_for_all),
		cmocka_unit_test(many_failures_are_one),
		cmocka_unit_test(keeps_the_rate),
		cmocka_unit_test(a_fast_rate_is_kept_too),
		cmocka_unit_test(an_admin_has_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
