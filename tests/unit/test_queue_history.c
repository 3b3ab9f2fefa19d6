/*
 * Rows of the journal's index come some at a time, so that no mail waits long
 * behind them; and a crash among them leaves none out, and makes none twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "queue/group.h"
#include "queue/history.h"
#include "test_dir.h"

#define EVENTS  500
#define ENTRIES (4 * EVENTS) /* id, address, Message-ID, account */
#define PART    64
#define WAIT_MS 20000
#define BORN    UINT64_C(1700000000000)

static char top[] = "/tmp/postern-history-XXXXXX", home[64];
static unsigned seen, largest;
static bool marked_early;
static int64_t began;

struct count {
	unsigned rows, entries;
};

static bool
count_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct count *c = arg;

	(void)key, (void)key_len, (void)row;
	c->rows++;
	c->entries += 1 + (unsigned)len / 16;
	return true;
}

static struct count
count(void)
{
	struct count c = { 0 };

	store_walk(NULL, T_INDEX, NULL, 0, count_row, &c);
	return c;
}

static void
events(struct txn *t, struct totals *totals, struct change *c)
{
	struct journal_row j = { .event = EVENT_ACCEPTED,
		.account = "alice@example.org" };

	(void)c;
	for (unsigned i = 0; i < EVENTS; i++) {
		j.id = i + 1;
		snprintf(j.rcpt, sizeof(j.rcpt), "r%u@example.net", i);
		snprintf(j.msgid, sizeof(j.msgid), "<%u@example.org>", i);
		history_add(t, totals, BORN + i, &j);
	}
}

static void
nothing(struct change *c)
{
	(void)c;
}

/* At the end of each turn. */
static void
turn(void *arg)
{
	uint64_t time, seq;
	struct count n;

	(void)arg;
	group_turn();
	n = count();
	if (n.rows - seen > largest)
		largest = n.rows - seen;
	seen = n.rows;
	t_index_mark_get(&time, &seq);
	marked_early |= n.entries < 4 * seq;
	if ((n.entries >= ENTRIES && group_idle()) ||
	    loop_now_ms() - began > WAIT_MS)
		loop_stop();
}

static void
test_parts(void **state)
{
	static struct change c = { .apply = events, .durable = nothing };
	uint64_t time, seq;

	(void)state;
	history_start();
	group_add(&c, HURRY_NOW);
	began = loop_now_ms();
	loop_run();
	assert_int_equal(count().entries, ENTRIES);
	/* All are of one account. */
	assert_in_range(seen, 3 * EVENTS, 3 * EVENTS + 2 * EVENTS / INDEX_ROW);
	assert_in_range(largest, 1, PART);
	assert_false(marked_early);
	t_index_mark_get(&time, &seq);
	assert_int_equal(seq, EVENTS);
}

static void
calm_down(void)
{
	began = loop_now_ms();
	while (!group_idle() && loop_now_ms() - began < WAIT_MS)
		loop_run();
	assert_true(group_idle());
}

/* Who asks gets all of it. */
static void
test_settle(void **state)
{
	static struct change c = { .apply = events, .durable = nothing };

	(void)state;
	group_add(&c, HURRY_NOW);
	group_commit();
	assert_true(history_settle());
	assert_int_equal(count().entries, 2 * ENTRIES);
	calm_down();
}

static void
forget_mark(struct txn *t, void *arg)
{
	const uint64_t *mark = arg;

	t_index_mark_put(t, mark[0], mark[1]);
}

/* What a crash left without a mark is made again, in the rows it has. */
static void
test_again(void **state)
{
	uint64_t mark[2] = { BORN + EVENTS, EVENTS };
	struct count before = count();

	(void)state;
	store_txn(forget_mark, mark, COMMIT_MEMORY);
	history_start();
	assert_true(history_settle());
	assert_int_equal(count().entries, before.entries);
	assert_int_equal(count().rows, before.rows);
	t_index_mark_get(&mark[0], &mark[1]);
	assert_int_equal(mark[1], 2 * EVENTS);
	calm_down();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_again),
	};
	int failed;

	if (mkdtemp(top) == NULL)
		return 1;
	snprintf(home, sizeof(home), "%s/env", top);
	if (store_open(home, (uint64_t)4 << 20, (uint64_t)64 << 20) !=
	    STORE_OPENED)
		return 1;
	loop_init();
	group_start();
	loop_hook(turn, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	group_stop();
	store_close();
	return failed || dir_remove(top);
}
