/*
 * Entries of the journal's index come some at a time, so that no mail waits
 * long behind them; and a crash among them leaves none out.
 */
#include <ftw.h>
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

#define EVENTS  500
#define ENTRIES (4 * EVENTS) /* id, address, Message-ID, account */
#define PART    64
#define WAIT_MS 20000
#define BORN    UINT64_C(1700000000000)

static char top[] = "/tmp/postern-history-XXXXXX", home[64];
static unsigned seen, largest;
static bool marked_early;
static int64_t began;

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static bool
count_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	(void)key, (void)key_len, (void)row, (void)len;
	++*(unsigned *)arg;
	return true;
}

static unsigned
entries(void)
{
	unsigned n = 0;

	store_walk(NULL, T_INDEX, NULL, 0, count_row, &n);
	return n;
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
	unsigned n;

	(void)arg;
	group_turn();
	n = entries();
	if (n - seen > largest)
		largest = n - seen;
	seen = n;
	t_index_mark_get(&time, &seq);
	marked_early |= seq != 0 && n < ENTRIES;
	if ((n >= ENTRIES && group_idle()) || loop_now_ms() - began > WAIT_MS)
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
	assert_int_equal(seen, ENTRIES);
	assert_in_range(largest, 1, PART);
	assert_false(marked_early);
	t_index_mark_get(&time, &seq);
	assert_int_equal(seq, EVENTS);
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
	assert_int_equal(entries(), 2 * ENTRIES);
	began = loop_now_ms();
	while (!group_idle() && loop_now_ms() - began < WAIT_MS)
		loop_run();
	assert_true(group_idle());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_settle),
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
	return failed || nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
