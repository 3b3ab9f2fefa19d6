/*
 * The table is bounded, and what goes is what was used least recently.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/lru.h"

static int dropped_sum, dropped;

static void
on_drop(void *value)
{
	dropped_sum += *(int *)value;
	dropped++;
}

static int *
add(struct lru *l, const char *key)
{
	return lru_add(l, key, strlen(key));
}

static int *
find(struct lru *l, const char *key)
{
	return lru_find(l, key, strlen(key));
}

static void
the_oldest_goes(void **state)
{
	struct lru *l = lru_new(3, sizeof(int), on_drop);

	(void)state;
	dropped = dropped_sum = 0;
	*add(l, "one") = 1;
	*add(l, "two") = 2;
	*add(l, "three") = 3;
	assert_int_equal(*find(l, "one"), 1); /* now "two" is the oldest */
	*add(l, "four") = 4;
	assert_null(find(l, "two"));
	assert_int_equal(dropped_sum, 2);
	assert_int_equal(*add(l, "one"), 1);
	*add(l, "five") = 5;
	assert_null(find(l, "three"));
	assert_non_null(find(l, "four"));
	assert_int_equal(lru_count(l), 3);
	lru_remove(l, "four", 4);
	lru_remove(l, "four", 4);
	assert_int_equal(lru_count(l), 2);
	assert_int_equal(*add(l, "four"), 0); /* zeroed again */
	lru_free(l);
	assert_int_equal(dropped, 6);
}

static void
keys_are_bytes(void **state)
{
	struct lru *l = lru_new(1000, sizeof(int), NULL);

	(void)state;
	*(int *)lru_add(l, "a\0b", 3) = 1;
	*(int *)lru_add(l, "a\0c", 3) = 2;
	*(int *)lru_add(l, "a", 1) = 3;
	assert_int_equal(*(int *)lru_find(l, "a\0b", 3), 1);
	assert_int_equal(*(int *)lru_find(l, "a\0c", 3), 2);
	assert_int_equal(*(int *)lru_find(l, "a", 1), 3);
	for (int i = 0; i < 5000; i++)
		*(int *)lru_add(l, &i, sizeof(i)) = i;
	assert_int_equal(lru_count(l), 1000);
	for (int i = 4000; i < 5000; i++)
		assert_int_equal(*(int *)lru_find(l, &i, sizeof(i)), i);
	lru_free(l);
	lru_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_goes),
		cmocka_unit_test(keys_are_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
