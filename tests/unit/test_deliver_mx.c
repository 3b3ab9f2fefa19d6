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

static void
hosts_make_a_site(void **state)
{
	struct exchanger some[] = { { 20, "b.example" }, { 10, "a.example" } },
			 same[] = { { 1, "a.example" }, { 1, "b.example" },
				 { 2, "a.example" } },
			 many[40] = { 0 };
	char one[MX_SITE_SIZE], other[MX_SITE_SIZE];

	(void)state;
	mx_site(some, 2, one);
	mx_site(same, 3, other);
	assert_string_equal(one, "a.example,b.example");
	assert_string_equal(one, other);
	mx_site(some, 0, one);
	assert_string_equal(one, "");
	/* Those that do not fit count all the same. */
	for (unsigned i = 0; i < 40; i++)
		snprintf(many[i].host, sizeof(many[i].host),
		    "a-rather-long-name-%02u.mail.example", i);
	mx_site(many, 40, one);
	many[39].host[20] = 'x';
	mx_site(many, 40, other);
	assert_true(strlen(one) < MX_SITE_SIZE);
	assert_memory_equal(one, other, 100);
	assert_string_not_equal(one, other);
	/* One name may be as long as all that fits. */
	memset(many[0].host, 'a', 254);
	mx_site(many, 1, one);
	assert_int_equal(one[0], '#');
	assert_int_equal(strlen(one), 17);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preference_decides_and_chance_between_equals),
		cmocka_unit_test(nobody_behind_ourselves_is_tried),
		cmocka_unit_test(nobody_and_one_need_no_order),
		cmocka_unit_test(hosts_make_a_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
