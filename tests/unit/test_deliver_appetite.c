/* How many recipients a server takes, as far as it said so lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "deliver/appetite.h"
#include "lib/loop.h"

static void
only_who_complained_is_known(void **state)
{
	(void)state;
	assert_int_equal(appetite_of("mx[192.0.2.1]:25"), 0);
	assert_int_equal(appetite_of(""), 0);
	appetite_note("mx[192.0.2.1]:25", 10);
	assert_int_equal(appetite_of("mx[192.0.2.1]:25"), 10);
	assert_int_equal(appetite_of("mx[192.0.2.2]:25"), 0);
	appetite_note("mx[192.0.2.1]:25", 3);
	assert_int_equal(appetite_of("mx[192.0.2.1]:25"), 3);
}

/* Thousands of servers find room; none is taken for another. */
static void
the_latest_is_known(void **state)
{
	unsigned known = 0, got;
	char mx[40];

	(void)state;
	for (unsigned i = 1; i <= 5000; i++) {
		snprintf(mx, sizeof(mx), "mx%u[192.0.2.1]:25", i);
		appetite_note(mx, i);
		assert_int_equal(appetite_of(mx), i);
	}
	for (unsigned i = 1; i <= 5000; i++) {
		snprintf(mx, sizeof(mx), "mx%u[192.0.2.1]:25", i);
		got = appetite_of(mx);
		assert_true(got == 0 || got == i);
		known += got != 0;
	}
	assert_in_range(known, 100, 256);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_complained_is_known),
		cmocka_unit_test(the_latest_is_known),
	};

	loop_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
