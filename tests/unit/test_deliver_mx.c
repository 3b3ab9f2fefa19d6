/* The order in which mail servers are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/mx.h"

static uint32_t
below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

static void
preference_decides_and_chance_between_equals(void **state)
{
	unsigned first[3] = { 0 };

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct exchanger x[] = {
			{ 20, "backup" },
			{ 10, "a" },
			{ 0, "best" },
			{ 10, "b" },
			{ 10, "c" },
		};

		mx_order(x, 5, below);
		assert_string_equal(x[0].host, "best");
		assert_string_equal(x[4].host, "backup");
		for (int i = 1; i < 4; i++)
			assert_int_equal(x[i].preference, 10);
		first[x[1].host[0] - 'a']++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(first[i], 800, 1200);
}

static void
nobody_and_one_need_no_order(void **state)
{
	struct exchanger x = { 10, "a" };

	(void)state;
	mx_order(NULL, 0, below);
	mx_order(&x, 1, below);
	assert_string_equal(x.host, "a");
}

static void
nobody_behind_ourselves_is_tried(void **state)
{
	static const struct exchanger x[] = {
		{ 0, "best" },
		{ 10, "a" },
		{ 10, "Me.example" },
		{ 10, "b" },
		{ 20, "backup" },
	};

	(void)state;
	assert_int_equal(mx_before(x, 5, "other.example"), 5);
	assert_int_equal(mx_before(x, 5, "me.example"), 1);
	assert_int_equal(mx_before(x, 5, "best"), 0);
	assert_int_equal(mx_before(x, 5, "backup"), 4);
	assert_int_equal(mx_before(NULL, 0, "me.example"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preference_decides_and_chance_between_equals),
		cmocka_unit_test(nobody_behind_ourselves_is_tried),
		cmocka_unit_test(nobody_and_one_need_no_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
