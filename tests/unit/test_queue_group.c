/*
 * Nothing is durable before a flush that began behind its commit has ended,
 * also where flushes are slow and run beside each other; and one that fails
 * ends the process before anything is told.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "queue/group.h"
#include "test_dir.h"

#define SLOW_US 8000
#define CHANGES 200
#define WAIT_MS 20000

static char top[] = "/tmp/postern-group-XXXXXX", home[64];

/* The disk: Berkeley DB's flushes come here, too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t begun;          /* flushes, so far */
static uint64_t ended[1 << 16]; /* whether the nth has */
static unsigned at_once, most;  /* under way */
static bool slow, fail_beside;

int
fdatasync(int fd)
{
	bool fails;
	uint64_t n;

	(void)fd;
	pthread_mutex_lock(&lock);
	n = begun++;
	fails = fail_beside && at_once > 0;
	if (++at_once > most)
		most = at_once;
	pthread_mutex_unlock(&lock);
	if (slow)
		usleep(SLOW_US);
	pthread_mutex_lock(&lock);
	at_once--;
	ended[n % (1 << 16)] = !fails;
	pthread_mutex_unlock(&lock);
	errno = EIO;
	return fails ? -1 : 0;
}

struct test_change {
	struct change change; /* the first member */
	unsigned number;
	uint64_t flush; /* the first that may cover it */
	uint64_t place;
};

static struct test_change changes[CHANGES];
static unsigned added, done, unwritten, early, disordered;
static int64_t began;

static void
put(struct txn *t, struct totals *totals, struct change *c)
{
	struct test_change *tc = (struct test_change *)c;
	char text[32];
	int n = snprintf(text, sizeof(text), "change number %u.", tc->number);

	(void)t, (void)totals;
	tc->place = store_log_put(1, text, (size_t)n);
}

/* Whether it is in the file, where others than Berkeley DB can flush it. */
static bool
in_file(const struct test_change *tc)
{
	char path[sizeof(home) + 32], want[32], have[512] = { 0 };
	FILE *f;

	snprintf(want, sizeof(want), "change number %u.", tc->number);
	snprintf(path, sizeof(path), "%s/log.%010u", home,
	    store_log_file(tc->place));
	if ((f = fopen(path, "r")) == NULL)
		return false;
	fseek(f, (long)(uint32_t)tc->place, SEEK_SET);
	(void)!fread(have, 1, sizeof(have), f);
	fclose(f);
	return memmem(have, sizeof(have), want, strlen(want)) != NULL;
}

static void
visible(struct change *c)
{
	struct test_change *tc = (struct test_change *)c;

	pthread_mutex_lock(&lock);
	tc->flush = begun;
	pthread_mutex_unlock(&lock);
	if (tc->number > CHANGES / 2 && !in_file(tc))
		unwritten++;
}

static void
add(void)
{
	struct test_change *tc = &changes[added];

	if (added == CHANGES)
		return;
	tc->number = added++;
	group_add(&tc->change, HURRY_NOW);
}

static void
durable(struct change *c)
{
	struct test_change *tc = (struct test_change *)c;
	bool covered = false;

	/* In the order in which they were added. */
	disordered += tc->number != done;
	done++;
	pthread_mutex_lock(&lock);
	for (uint64_t n = tc->flush; n < begun; n++)
		covered |= ended[n % (1 << 16)] != 0;
	pthread_mutex_unlock(&lock);
	early += !covered;
	if (fail_beside && !covered)
		_exit(96);
}

/* Something comes in each turn, and at most twenty wait. */
static void
turn(void *arg)
{
	static struct timer next;

	(void)arg;
	if (!timer_pending(&next)) {
		timer_init(&next, turn, NULL);
		timer_set(&next, 1);
		if (added - done < 20)
			add();
	}
	group_turn();
	if ((done == CHANGES && group_idle()) ||
	    loop_now_ms() - began > WAIT_MS)
		loop_stop();
}

static void
play(bool on_slow_disk)
{
	added = done = most = unwritten = early = disordered = 0;
	for (unsigned i = 0; i < CHANGES; i++)
		changes[i].change = (struct change){
			.apply = put, .committed = visible, .durable = durable
		};
	slow = on_slow_disk;
	began = loop_now_ms();
	loop_run();
}

static void
test_fast(void **state)
{
	(void)state;
	play(false);
	assert_int_equal(done, CHANGES);
	assert_int_equal(early, 0);
	assert_int_equal(disordered, 0);
	assert_int_equal(most, 1);
}

static void
test_slow(void **state)
{
	(void)state;
	play(true);
	assert_int_equal(done, CHANGES);
	assert_int_equal(early, 0);
	assert_int_equal(disordered, 0);
	assert_in_range(most, 2, 4);
	assert_int_equal(unwritten, 0);
}

/* The process ends; what waited for that flush is not told. */
static void
test_failing(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(99);
		strcat(home, "-failing");
		if (store_open(home, (uint64_t)4 << 20, (uint64_t)64 << 20) !=
		    STORE_OPENED)
			_exit(98);
		loop_init();
		group_start();
		loop_hook(turn, NULL);
		fail_beside = true;
		play(true);
		_exit(done == CHANGES ? 0 : 97);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_slow),
	};
	const struct CMUnitTest alone[] = { cmocka_unit_test(test_failing) };
	int failed;

	if (mkdtemp(top) == NULL)
		return 1;
	snprintf(home, sizeof(home) - 16, "%s/env", top);
	failed = cmocka_run_group_tests_name("failing", alone, NULL, NULL);
	if (store_open(home, (uint64_t)4 << 20, (uint64_t)64 << 20) !=
	    STORE_OPENED)
		return 1;
	loop_init();
	group_start();
	loop_hook(turn, NULL);
	failed += cmocka_run_group_tests_name("group", tests, NULL, NULL);
	group_stop();
	slow = false;
	store_close();
	return failed || dir_remove(top);
}
