/*
 * Guessing is slow; mistyping, old passwords and neighbours are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/throttle.h"

#define NET   "192.0.2.0/24"
#define OTHER "198.51.100.0/24"
#define ALICE "alice@example.org"
#define MIN   (60 * 1000)

/* One try with a wrong password; true when it was evaluated. */
static bool
guess(const char *net, const char *user, const char *secret, int64_t now)
{
	unsigned char digest[DIGEST_SIZE];

	digest_make(digest, user, "hash", secret);
	if (throttle_begin(net, user, digest, 1, now) != THROTTLE_GO)
		return false;
	throttle_wrong(net, user, digest);
	return true;
}

static enum throttle
ask(const char *net, const char *user, const char *secret, int64_t now)
{
	unsigned char digest[DIGEST_SIZE];

	digest_make(digest, user, "hash", secret);
	return throttle_begin(net, user, digest, 1, now);
}

static int
teardown(void **state)
{
	(void)state;
	throttle_close();
	return 0;
}

static void
ten_thousand_guesses_are_a_hundred_tries(void **state)
{
	char secret[32], user[32];
	int tries = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(secret, sizeof(secret), "guess%d", i);
		snprintf(user, sizeof(user), "user%d@example.org", i % 500);
		tries += guess(NET, user, secret, (int64_t)i * 360);
	}
	assert_true(tries > 20 && tries < 100);
}

static void
one_account_gets_fewer(void **state)
{
	char secret[32];
	int tries = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(secret, sizeof(secret), "guess%d", i);
		tries += guess(NET, ALICE, secret, (int64_t)i * 360);
	}
	assert_true(tries >= 10 && tries <= 40);
}

static void
from_elsewhere_nothing_is_noticed(void **state)
{
	char secret[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(secret, sizeof(secret), "guess%d", i);
		guess(NET, ALICE, secret, 0);
	}
	assert_int_equal(ask(NET, ALICE, "right", 0), THROTTLE_OVER);
	assert_true(throttle_wait_ms(NET, ALICE, 0) > 0);
	assert_int_equal(ask(OTHER, ALICE, "right", 0), THROTTLE_GO);
	assert_int_equal(throttle_wait_ms(OTHER, ALICE, 0), 0);
	throttle_right(OTHER, ALICE, 1, 0);
	assert_int_equal(throttle_delay_ms(OTHER, ALICE, 0), 500);
}

static void
an_old_password_is_no_attack(void **state)
{
	(void)state;
	assert_true(guess(NET, ALICE, "old", 0));
	for (int i = 1; i < 1000; i++)
		assert_int_equal(ask(NET, ALICE, "old", i), THROTTLE_STALE);
	/* Three devices with three old passwords. */
	assert_true(guess(NET, ALICE, "older", 1000));
	assert_true(guess(NET, ALICE, "oldest", 1000));
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(ask(NET, ALICE, "old", i), THROTTLE_STALE);
		assert_int_equal(ask(NET, ALICE, "older", i), THROTTLE_STALE);
		assert_int_equal(ask(NET, ALICE, "oldest", i), THROTTLE_STALE);
	}
	/* It is one pair's: from elsewhere it is a guess as any other. */
	assert_true(guess(OTHER, ALICE, "old", 1000));
	assert_int_equal(ask(NET, ALICE, "right", 1000), THROTTLE_GO);
}

static void
all_at_once_are_no_more(void **state)
{
	char secret[8];
	int go = 0;

	(void)state;
	/* Before the first is found wrong, a hundred have asked. */
	for (int i = 0; i < 100; i++) {
		snprintf(secret, sizeof(secret), "%d", i);
		go += ask(NET, ALICE, secret, 0) == THROTTLE_GO;
	}
	assert_int_equal(go, 10);
	/* One of them could not be looked at after all. */
	throttle_cancel(NET, ALICE, 1);
	assert_int_equal(ask(NET, ALICE, "again", 0), THROTTLE_GO);
	assert_int_equal(ask(NET, ALICE, "and again", 0), THROTTLE_OVER);
}

static void
a_known_pair_ignores_its_neighbours(void **state)
{
	char user[32];

	(void)state;
	assert_int_equal(ask(NET, ALICE, "right", 0), THROTTLE_GO);
	throttle_right(NET, ALICE, 1, 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(user, sizeof(user), "user%d@example.org", i);
		guess(NET, user, "guess", 0);
	}
	assert_int_equal(ask(NET, "bob@x", "right", 0), THROTTLE_OVER);
	assert_int_equal(ask(NET, ALICE, "right", 0), THROTTLE_GO);
	throttle_cancel(NET, ALICE, 1);
	/* The network recovers, a try a minute. */
	assert_int_equal(ask(NET, "bob@x", "right", MIN), THROTTLE_GO);
	assert_int_equal(ask(NET, "carol@x", "right", MIN), THROTTLE_OVER);
	assert_true(throttle_wait_ms(NET, "carol@x", MIN) <= MIN);
	assert_int_equal(ask(NET, "carol@x", "right", 30 * MIN), THROTTLE_GO);
}

static void
answers_come_later_and_later(void **state)
{
	static const int64_t delays[] = { 500, 1000, 2000, 4000, 4000 };
	char secret[8];

	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(secret, sizeof(secret), "%d", i);
		assert_true(guess(NET, ALICE, secret, 0));
		assert_int_equal(throttle_delay_ms(NET, ALICE, 0), delays[i]);
	}
	/* Who got it right in the end starts anew. */
	assert_int_equal(ask(NET, ALICE, "right", 0), THROTTLE_GO);
	throttle_right(NET, ALICE, 1, 0);
	assert_true(throttle_delay_ms(NET, ALICE, 0) <= 1000);
}

/* [screen] slow: a wrong password is as four of them. */
static void
some_networks_pay_more(void **state)
{
	unsigned char digest[DIGEST_SIZE];
	int tries = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		digest_make(digest, ALICE, "hash", i % 2 ? "a" : "b");
		digest[0] = (unsigned char)i;
		if (throttle_begin(NET, ALICE, digest, THROTTLE_SLOW, 0) !=
		    THROTTLE_GO)
			break;
		tries++;
		assert_int_equal(throttle_delay_ms(NET, ALICE, 0), 4000);
	}
	assert_int_equal(tries, 3);
	/* A right one is given back whole. */
	throttle_close();
	assert_int_equal(
	    throttle_begin(NET, ALICE, digest, THROTTLE_SLOW, 0), THROTTLE_GO);
	throttle_right(NET, ALICE, THROTTLE_SLOW, 0);
	for (int i = 0; i < 20; i++)
		assert_true(
		    i >= 10 || guess(NET, "bob@x", &"0123456789"[i], 0));
	assert_int_equal(throttle_wait_ms(NET, ALICE, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(some_networks_pay_more, teardown),
		cmocka_unit_test_teardown(
		    ten_thousand_guesses_are_a_hundred_tries, teardown),
		cmocka_unit_test_teardown(one_account_gets_fewer, teardown),
		cmocka_unit_test_teardown(
		    from_elsewhere_nothing_is_noticed, teardown),
		cmocka_unit_test_teardown(
		    an_old_password_is_no_attack, teardown),
		cmocka_unit_test_teardown(all_at_once_are_no_more, teardown),
		cmocka_unit_test_teardown(
		    a_known_pair_ignores_its_neighbours, teardown),
		cmocka_unit_test_teardown(
		    answers_come_later_and_later, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
