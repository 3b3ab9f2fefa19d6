/*
 * When to try again, ids that only grow, and names that hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "queue/ids.h"
#include "queue/retry.h"
#include "queue/t_due.h"

static const struct conf conf = {
	.nretries = 3, .retry_s = { 60, 300, 3600 }, .give_up_s = 86400
};

static void
waits_follow_the_list(void **state)
{
	(void)state;
	assert_in_range(retry_wait_ms(&conf, 1, 0), 54000, 54000);
	assert_in_range(retry_wait_ms(&conf, 1, 1023), 66000, 66000);
	assert_in_range(retry_wait_ms(&conf, 2, 0), 270000, 270000);
	assert_in_range(retry_wait_ms(&conf, 3, 0), 3240000, 3240000);
	assert_in_range(retry_wait_ms(&conf, 4, 0), 3240000, 3240000);
	assert_in_range(retry_wait_ms(&conf, 4000000000u, 0), 3240000, 3240000);
	assert_in_range(retry_wait_ms(&conf, 0, 0), 54000, 54000);
	for (int i = 0; i < 1000; i++)
		assert_in_range(
		    retry_wait_ms(&conf, 1, retry_chance()), 54000, 66000);
}

static void
the_last_attempt_is_at_the_end(void **state)
{
	const int64_t born = 1000000000, end = born + 86400 * 1000;

	(void)state;
	assert_int_equal(retry_next_ms(&conf, born, born, 1, 0), born + 54000);
	assert_int_equal(retry_next_ms(&conf, born, end - 1000, 9, 0), end);
	assert_int_equal(retry_next_ms(&conf, born, end, 9, 0), 0);
	assert_int_equal(retry_next_ms(&conf, born, end + 5, 1, 0), 0);
	/* A clock that went back does not give up. */
	assert_int_equal(
	    retry_next_ms(&conf, born, born - 1000, 1, 0), born + 53000);
}

static void
ids_grow_whatever_the_clock_does(void **state)
{
	uint64_t id = 0, next;
	int64_t clock[] = { 1000, 1000, 1001, 5, 5, 1001, 2000, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(clock) / sizeof(clock[0]); i++) {
		next = id_next(id, clock[i]);
		assert_true(next > id);
		id = next;
	}
	assert_int_equal(id_time_ms(id_next(0, 1234567)), 1234567);
	/* More in one millisecond than the count holds. */
	id = id_next(0, 7) | 0xfffff;
	assert_int_equal(id_time_ms(id_next(id, 7)), 8);
}

static void
due_keys_sort(void **state)
{
	struct due_key a = { 5, 9, 9 }, b = { 6, 1, 1 }, c = { 6, 1, 2 },
		       d = { 6, 2, 0 };

	(void)state;
	assert_true(due_compare(&a, &b) < 0);
	assert_true(due_compare(&b, &c) < 0);
	assert_true(due_compare(&c, &d) < 0);
	assert_true(due_compare(&d, &a) > 0);
	assert_int_equal(due_compare(&c, &c), 0);
	assert_true(hash64("example.net") != hash64("example.com"));
	assert_true(hash64("") == hash64(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_follow_the_list),
		cmocka_unit_test(the_last_attempt_is_at_the_end),
		cmocka_unit_test(ids_grow_whatever_the_clock_does),
		cmocka_unit_test(due_keys_sort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
