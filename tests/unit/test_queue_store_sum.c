/*
 * Our checksum is the one that Berkeley DB computes by itself, and the one
 * that it uses here.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "queue/store.h"
#include "queue/store_sum.h"

typedef uint32_t sum_fn(void *, const void *, uint32_t);

static uint8_t data[70000];

static sum_fn *
named(void *from)
{
	sum_fn *fn;

	*(void **)&fn = dlsym(from, "__ham_func4");
	return fn;
}

static void
test_equal(void **state)
{
	sum_fn *theirs = named(RTLD_NEXT);

	(void)state;
	assert_non_null(theirs);
	assert_ptr_not_equal(theirs, __ham_func4);
	for (uint32_t at = 0; at < 17; at++)
		for (uint32_t n = 0; n < 400; n++)
			assert_int_equal(__ham_func4(NULL, data + at, n),
			    theirs(NULL, data + at, n));
	for (uint32_t n = 401; n < sizeof(data); n += 997)
		assert_int_equal(
		    __ham_func4(NULL, data, n), theirs(NULL, data, n));
}

/* The largest octets, where parts would overflow first. */
static void
test_extreme(void **state)
{
	static uint8_t most[4096];
	sum_fn *theirs = named(RTLD_NEXT);

	(void)state;
	for (size_t i = 0; i < sizeof(most); i++)
		most[i] = 0xff;
	for (uint32_t n = 0; n <= sizeof(most); n += 61)
		assert_int_equal(
		    __ham_func4(NULL, most, n), theirs(NULL, most, n));
}

/* What the library finds by that name is ours. */
static void
test_in_use(void **state)
{
	(void)state;
	store_close(); /* nothing is open; the store is linked, though */
	assert_ptr_equal(named(RTLD_DEFAULT), __ham_func4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_extreme),
		cmocka_unit_test(test_in_use),
	};

	srandom(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
