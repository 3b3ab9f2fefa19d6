/*
 * What was right is remembered for a while, and for that password only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/verified.h"

#define LIFE_MS (10 * 60 * 1000)

static unsigned char digest[DIGEST_SIZE];

static const unsigned char *
of(const char *login, const char *hash, const char *secret)
{
	digest_make(digest, login, hash, secret);
	return digest;
}

static int
teardown(void **state)
{
	(void)state;
	verified_close();
	return 0;
}

static void
only_that_password_and_hash(void **state)
{
	(void)state;
	assert_false(verified_find(of("a", "h", "s"), 0));
	verified_add(of("a", "h", "s"), 0);
	assert_true(verified_find(of("a", "h", "s"), 1));
	assert_false(verified_find(of("a", "h", "t"), 1));
	assert_false(verified_find(of("a", "i", "s"), 1));
	assert_false(verified_find(of("b", "h", "s"), 1));
	/* The parts cannot run into each other. */
	assert_false(verified_find(of("ah", "", "s"), 1));
	assert_false(verified_find(of("a", "hs", ""), 1));
}

static void
not_for_ever(void **state)
{
	(void)state;
	verified_add(of("a", "h", "s"), 0);
	assert_true(verified_find(of("a", "h", "s"), LIFE_MS - 1));
	/* Being asked for does not prolong it. */
	assert_false(verified_find(of("a", "h", "s"), LIFE_MS));
	assert_false(verified_find(of("a", "h", "s"), 1));
}

static void
bounded(void **state)
{
	char secret[16];
	int found = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(secret, sizeof(secret), "%d", i);
		verified_add(of("a", "h", secret), 0);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(secret, sizeof(secret), "%d", i);
		found += verified_find(of("a", "h", secret), 1);
	}
	assert_int_equal(found, 4096);
	assert_true(verified_find(of("a", "h", "9999"), 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    only_that_password_and_hash, teardown),
		cmocka_unit_test_teardown(not_for_ever, teardown),
		cmocka_unit_test_teardown(bounded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
