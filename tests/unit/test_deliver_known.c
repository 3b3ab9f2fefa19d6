/*
 * What domains could do is noted once a day, whatever a clock said before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "deliver/known.h"
#include "lib/loop.h"

#define DAY_S 86400

static int64_t set_s; /* the wall clock was */
static struct channel queue = { .fd = -1 };
static struct timer timer;

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_REALTIME)
		ts->tv_sec += set_s;
	return r;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
set(int64_t s)
{
	set_s = s;
	timer_init(&timer, stop, NULL);
	timer_set(&timer, 1);
	loop_run();
}

static void
on_known(void *arg, struct msg_domain *d)
{
	(void)arg, (void)d;
}

static uint64_t
seen(void)
{
	return known_look("a.example")->seen_dane;
}

static uint64_t
note(void)
{
	known_note("a.example", "mx", true, "dane");
	return seen();
}

static void
the_future_is_not_known(void **state)
{
	struct msg m = { .type = MSG_DOMAIN_IS };
	uint64_t first, next;

	(void)state;
	known_ask("a.example", on_known, NULL);
	strcpy(m.u.domain.domain, "a.example");
	known_message(&m);
	first = note();
	assert_true(first > 0);
	set(DAY_S / 2);
	assert_true(note() == first);
	set(DAY_S + 60);
	next = note();
	assert_true(next > first);
	set(400 * DAY_S);
	assert_true(note() > next);
	/* And right again. */
	set(2 * DAY_S + 60);
	assert_in_range(note(), next + 1, first + 3 * DAY_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_future_is_not_known),
	};

	loop_init();
	known_start(&queue);
	return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
