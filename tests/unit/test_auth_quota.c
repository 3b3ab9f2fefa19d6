/*
 * Limits name the one to wait for, know who is new, and survive a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/guard.h"
#include "auth/quota.h"
#include "auth/store.h"
#include "auth/t_known.h"
#include "auth/tally.h"
#include "lib/loop.h"
#include "test_dir.h"

#define ALICE  "alice@example.org"
#define MINUTE ((uint64_t)60 * 1000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define T0     (20000 * DAY)

static char dir[64];
static uint64_t limit[LIMITS];
static uint64_t label_limit[LIMITS];
static struct quota_answer answer;

static int
setup(void **state)
{
	const uint64_t usual[LIMITS] = {
		[LIMIT_RECIPIENTS] = 100,
		[LIMIT_SIZE] = 1000,
		[LIMIT_HOUR] = 300,
		[LIMIT_DAY] = 2000,
		[LIMIT_MESSAGES_HOUR] = 200,
		[LIMIT_MESSAGES_DAY] = 1000,
		[LIMIT_NEW] = 90,
	};

	(void)state;
	memset(label_limit, 0, sizeof(label_limit));
	label_limit[LIMIT_DAY] = 5;
	memcpy(limit, usual, sizeof(limit));
	strcpy(dir, "/tmp/postern-test-auth-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	store_open(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tally_close();
	store_close();
	book_close();
	return dir_remove(dir);
}

static void
restart(bool killed)
{
	if (!killed)
		tally_write();
	tally_close();
	store_close();
	store_open(dir);
}

/* To `rcpts` recipients, numbered from `first` on. */
static bool
mail_to(uint32_t first, uint32_t rcpts, const char *label, uint64_t now_ms)
{
	static uint8_t hashes[RCPT_HASH * RCPT_HASHES];
	struct quota_ask q = { .login = ALICE,
		.label = label,
		.label_limit = label_limit,
		.limit = limit,
		.rcpts = rcpts,
		.now_ms = now_ms };

	for (uint32_t i = 0; i < rcpts; i++) {
		uint64_t n = (uint64_t)(first + i) * 0x9e3779b97f4a7c15u;

		memcpy(hashes + i * RCPT_HASH, &n, RCPT_HASH);
	}
	q.hashes = (struct bytes){ hashes, RCPT_HASH * rcpts };
	return quota_charge(&q, &answer);
}

static void
over(enum limit which, int64_t wait_ms)
{
	assert_int_equal(answer.which, which);
	assert_int_equal(answer.limit, limit[which]);
	assert_in_range(
	    answer.wait_ms + 2, (uint64_t)wait_ms, (uint64_t)wait_ms + 4);
}

static void
over_own(enum limit which, int64_t wait_ms)
{
	assert_int_equal(answer.which, which);
	assert_int_equal(answer.limit, label_limit[which]);
	assert_in_range(
	    answer.wait_ms + 2, (uint64_t)wait_ms, (uint64_t)wait_ms + 4);
}

static void
each_limit_is_named(void **state)
{
	(void)state;
	limit[LIMIT_NEW] = 100000;
	assert_true(mail_to(0, 300, NULL, T0));
	assert_int_equal(answer.news, 300);
	assert_false(mail_to(0, 1, NULL, T0));
	over(LIMIT_HOUR, 12000);
	assert_int_equal(answer.news, 0);
	limit[LIMIT_MESSAGES_HOUR] = 1;
	assert_false(mail_to(0, 1, NULL, T0));
	over(LIMIT_MESSAGES_HOUR, (int64_t)HOUR);
	limit[LIMIT_MESSAGES_DAY] = 1;
	assert_false(mail_to(0, 1, NULL, T0));
	over(LIMIT_MESSAGES_DAY, (int64_t)DAY);
	limit[LIMIT_NEW] = 300;
	assert_false(mail_to(1000, 301, NULL, T0));
	assert_int_equal(answer.wait_ms, -1);
	assert_true(answer.which == LIMIT_HOUR || answer.which == LIMIT_NEW);
}

static void
only_the_new_count_as_new(void **state)
{
	(void)state;
	assert_true(mail_to(0, 80, NULL, T0));
	assert_int_equal(answer.news, 80);
	assert_true(mail_to(0, 80, NULL, T0 + MINUTE));
	assert_int_equal(answer.news, 0);
	assert_true(mail_to(75, 10, NULL, T0 + 2 * MINUTE));
	assert_int_equal(answer.news, 5);
	assert_false(mail_to(200, 80, NULL, T0 + 3 * MINUTE));
	assert_int_equal(answer.which, LIMIT_NEW);
	assert_int_equal(answer.n, 80);
	/* The refused ones are as new as before. */
	assert_false(mail_to(200, 80, NULL, T0 + 4 * MINUTE));
	assert_int_equal(answer.news, 80);
	assert_true(mail_to(200, 80, NULL, T0 + DAY));
	/* After half a year nobody is known. */
	tally_write();
	assert_true(mail_to(0, 80, NULL, T0 + 182 * DAY));
	assert_int_equal(answer.news, 80);
}

static void
a_credential_has_its_own(void **state)
{
	(void)state;
	assert_true(mail_to(0, 4, "scanner", T0));
	assert_false(mail_to(0, 2, "scanner", T0));
	assert_true(answer.of_label);
	assert_int_equal(answer.limit, 5);
	assert_true(mail_to(0, 2, "printer", T0));
	assert_true(mail_to(0, 2, NULL, T0));
	assert_true(mail_to(0, 1, "scanner", T0));
}

static void
a_credential_has_each_limit(void **state)
{
	uint64_t used[LIMITS];

	(void)state;
	label_limit[LIMIT_DAY] = 0;
	label_limit[LIMIT_MESSAGES_HOUR] = 2;
	label_limit[LIMIT_NEW] = 3;
	assert_false(mail_to(0, 4, "scanner", T0));
	assert_int_equal(answer.which, LIMIT_NEW);
	assert_true(mail_to(0, 3, "scanner", T0));
	assert_true(mail_to(0, 3, "scanner", T0));
	assert_false(mail_to(0, 3, "scanner", T0));
	assert_true(answer.of_label);
	over_own(LIMIT_MESSAGES_HOUR, (int64_t)HOUR / 2);
	/* They survive a restart like the account's. */
	restart(false);
	assert_false(mail_to(0, 1, "scanner", T0));
	quota_used(ALICE, "scanner", label_limit, T0, used);
	assert_int_equal(used[LIMIT_MESSAGES_HOUR], 2);
	assert_int_equal(used[LIMIT_NEW], 3);
	assert_int_equal(used[LIMIT_DAY], 0);
	assert_true(mail_to(0, 1, "scanner", T0 + HOUR / 2));
	/* The other half of what the account has is still there. */
	assert_true(mail_to(0, 3, NULL, T0));
}

static void
what_was_not_sent_is_given_back(void **state)
{
	uint64_t used[LIMITS];

	(void)state;
	assert_true(mail_to(0, 4, "scanner", T0));
	quota_undo(ALICE, "scanner", 4);
	quota_used(ALICE, NULL, limit, T0, used);
	assert_int_equal(used[LIMIT_HOUR], 0);
	assert_int_equal(used[LIMIT_MESSAGES_DAY], 0);
	assert_true(mail_to(0, 5, "scanner", T0));
	assert_int_equal(answer.news, 1);
}

static void
it_survives_a_restart(void **state)
{
	uint64_t used[LIMITS];

	(void)state;
	assert_true(mail_to(0, 80, NULL, T0));
	restart(false);
	quota_used(ALICE, NULL, limit, T0, used);
	assert_int_equal(used[LIMIT_HOUR], 80);
	assert_int_equal(used[LIMIT_DAY], 80);
	assert_int_equal(used[LIMIT_MESSAGES_HOUR], 1);
	assert_int_equal(used[LIMIT_NEW], 80);
	assert_int_equal(used[LIMIT_SIZE], 0);
	assert_true(mail_to(0, 80, NULL, T0));
	assert_int_equal(answer.news, 0);
	assert_false(mail_to(100, 11, NULL, T0));
	assert_int_equal(answer.which, LIMIT_NEW);
	/* Only what was not written yet is lost. */
	restart(true);
	quota_used(ALICE, NULL, limit, T0, used);
	assert_int_equal(used[LIMIT_HOUR], 80);
}

static void
a_removed_account_leaves_nothing(void **state)
{
	struct change c = { .login = ALICE, .by = "root", .hash = "" };
	uint64_t used[LIMITS];

	(void)state;
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	assert_true(mail_to(0, 5, "scanner", T0));
	assert_true(mail_to(0, 80, NULL, T0));
	tally_write();
	assert_int_equal(accounts_remove(&c), CHANGE_DONE);
	tally_write();
	quota_used(ALICE, NULL, limit, T0, used);
	assert_int_equal(used[LIMIT_DAY], 0);
	assert_true(mail_to(0, 5, "scanner", T0));
	assert_int_equal(answer.news, 5);
	/* What comes behind the removal is not written any more. */
	tally_guard(ALICE)->failed = 7;
	tally_write();
	tally_close();
	quota_used(ALICE, NULL, limit, T0, used);
	assert_int_equal(used[LIMIT_DAY], 0);
	assert_int_equal(tally_guard(ALICE)->failed, 0);
}

static bool
has_rows(enum table table)
{
	uint8_t key[STORE_KEY_MAX];
	size_t n;

	return store_next(
	    NULL, table, (struct bytes){ key, 0 }, key, &n, NULL, NULL, 0);
}

static void
looking_at_an_account_writes_nothing(void **state)
{
	struct change c = { .login = ALICE, .by = "root", .hash = "" };
	struct guard g;

	(void)state;
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	g = guard_now(ALICE);
	tally_write();
	assert_false(has_rows(TABLE_GUARD));
	assert_false(has_rows(TABLE_USAGE));
	/* What others counted is seen: before it is written, */
	tally_guard(ALICE)->failed = 7;
	tally_read_guard(ALICE, &g);
	assert_int_equal(g.failed, 7);
	tally_write();
	assert_true(has_rows(TABLE_GUARD));
	tally_close();
	/* ... behind it, and when only its limits are in memory. */
	tally_read_guard(ALICE, &g);
	assert_int_equal(g.failed, 7);
	tally_find(ALICE, NULL, T0);
	tally_read_guard(ALICE, &g);
	assert_int_equal(g.failed, 7);
}

static void
the_known_are_bounded(void **state)
{
	uint32_t known = 0;

	(void)state;
	for (int l = 0; l < LIMITS; l++)
		limit[l] = 1000000000;
	for (uint32_t i = 0; i < 15000; i += 1000)
		assert_true(mail_to(i, 1000, NULL, T0));
	tally_write();
	for (uint32_t i = 0; i < 15000; i += 1000) {
		assert_true(mail_to(i, 1000, NULL, T0));
		known += 1000 - answer.news;
		tally_close();
	}
	assert_in_range(known, 9000, 10000);
}

#define MANY 200

static struct timer watch_timer;
static unsigned seen_between;

static unsigned
written(void)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t hash = i * 0x9e3779b97f4a7c15u;

		n += known_day(NULL, ALICE, (const uint8_t *)&hash) != 0;
	}
	return n;
}

static void
watch_rows(void *arg)
{
	int64_t *until = arg;
	unsigned n = written();

	seen_between += n > 0 && n < MANY;
	if (n == MANY || loop_now_ms() > *until)
		loop_stop();
	else
		timer_set(&watch_timer, 1);
}

/* Who submits meanwhile waits for some rows, not for all of them. */
static void
many_are_written_little_by_little(void **state)
{
	int64_t until = loop_now_ms() + 20000;

	(void)state;
	limit[LIMIT_NEW] = 100000;
	assert_true(mail_to(0, MANY, NULL, T0));
	assert_int_equal(written(), 0);
	seen_between = 0;
	timer_init(&watch_timer, watch_rows, &until);
	timer_set(&watch_timer, 1);
	loop_run();
	timer_clear(&watch_timer);
	assert_int_equal(written(), MANY);
	assert_true(seen_between > 0);
	restart(true);
	assert_true(mail_to(0, MANY / 2, NULL, T0 + MINUTE));
	assert_int_equal(answer.news, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_limit_is_named),
		TEST(only_the_new_count_as_new),
		TEST(a_credential_has_its_own),
		TEST(a_credential_has_each_limit),
		TEST(what_was_not_sent_is_given_back),
		TEST(it_survives_a_restart),
		TEST(a_removed_account_leaves_nothing),
		TEST(looking_at_an_account_writes_nothing),
		TEST(the_known_are_bounded),
		TEST(many_are_written_little_by_little),
	};

	loop_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
