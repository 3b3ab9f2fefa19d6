/*
 * FNV-1a with 64 bits: the values of its authors, whole and in parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fnv.h"

static void
known_values(void **state)
{
	(void)state;
	assert_true(fnv_add(FNV_BASIS, "", 0) == FNV_BASIS);
	assert_true(fnv_add(FNV_BASIS, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(
	    fnv_add(FNV_BASIS, "foobar", 6) == UINT64_C(0x85944171f73967e8));
	assert_true(fnv_add(fnv_add(FNV_BASIS, "foo", 3), "bar", 3) ==
	    UINT64_C(0x85944171f73967e8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
