/*
 * Connections of a destination: who may begin one, who waits, who has to go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/berths.h"
#include "deliver/places.h"
#include "lib/loop.h"

static unsigned went;
static struct berths *at;

static void
take(void *arg)
{
	unsigned *order = arg;

	*order = ++went;
	berths_take(at);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Let everybody go who may. */
static void
turn(void)
{
	struct timer end;

	timer_init(&end, stop, NULL);
	timer_set(&end, 20);
	loop_run();
}

static void
no_destination_has_no_limit(void **state)
{
	(void)state;
	assert_true(berths_free(NULL));
	assert_false(berths_crowded(NULL));
	berths_take(NULL);
	berths_leaving(NULL);
	berths_leave(NULL, true);
	berths_put(NULL);
	assert_null(berths_tell(1, 1));
}

static void
all_are_counted(void **state)
{
	struct berths *b = berths_for(7, 2), *other = berths_for(8, 1);

	(void)state;
	assert_ptr_not_equal(b, other);
	assert_ptr_equal(berths_for(7, 2), b);
	berths_put(b);
	berths_take(b);
	assert_true(berths_free(b));
	berths_take(b);
	assert_false(berths_free(b));
	assert_false(berths_crowded(b));
	assert_true(berths_free(other));
	/* Fewer than there are: one has to go, and one that does is enough. */
	assert_ptr_equal(berths_tell(7, 1), b);
	assert_true(berths_crowded(b));
	berths_leaving(b);
	assert_false(berths_crowded(b));
	assert_false(berths_free(b));
	berths_leave(b, true);
	assert_false(berths_free(b));
	berths_leave(b, false);
	assert_true(berths_free(b));
	berths_put(b);
	berths_put(other);
	/* Nobody is there: nothing is known. */
	assert_null(berths_tell(7, 1));
}

static void
who_waits_goes_in_order(void **state)
{
	struct berth_wait first, second, third;
	unsigned order[3] = { 0 };
	struct berths *b;

	(void)state;
	b = at = berths_for(9, 1);
	went = 0;
	berths_take(b);
	berths_wait(b, &first, take, &order[0]);
	berths_wait(b, &second, take, &order[1]);
	berths_wait(b, &third, take, &order[2]);
	assert_true(berths_crowded(b));
	turn();
	assert_int_equal(went, 0);
	/* Whoever comes meanwhile is behind them. */
	berths_leave(b, false);
	assert_false(berths_free(b));
	turn();
	assert_int_equal(order[0], 1);
	assert_int_equal(went, 1);
	berths_unwait(&second);
	berths_unwait(&second);
	berths_leave(b, false);
	turn();
	assert_int_equal(order[1], 0);
	assert_int_equal(order[2], 2);
	berths_leave(b, false);
	berths_put(b);
}

static void
more_width_is_for_who_waits(void **state)
{
	struct berth_wait w[3];
	unsigned order[3] = { 0 };
	struct berths *b;

	(void)state;
	b = at = berths_for(10, 1);
	went = 0;
	berths_take(b);
	for (unsigned i = 0; i < 3; i++)
		berths_wait(b, &w[i], take, &order[i]);
	berths_put(berths_for(10, 3));
	turn();
	assert_int_equal(went, 2);
	berths_unwait(&w[2]);
	for (unsigned i = 0; i < 3; i++)
		berths_leave(b, false);
	berths_put(b);
}

/* What is exchanged stands in line again, and nobody is given twice. */
static void
places_change_turns(void **state)
{
	static const unsigned hosts[] = { 0, 2, 1, 1 };
	struct net_address a = { .len = sizeof(struct sockaddr_in) };
	struct places p;

	(void)state;
	a.ss.ss_family = AF_INET;
	places_clear(&p);
	assert_null(places_swap(&p, 0));
	for (unsigned host = 0; host < 3; host++)
		places_add(&p, host, &a);
	places_add(&p, 1, &a);
	places_line_up(&p, 0, 3);
	assert_int_equal(places_next(&p)->host, hosts[0]);
	assert_int_equal(places_next(&p)->host, 1);
	assert_null(places_swap(&p, 0));
	assert_int_equal(places_swap(&p, 2)->host, hosts[1]);
	assert_int_equal(places_next(&p)->host, hosts[2]);
	assert_int_equal(places_next(&p)->host, hosts[3]);
	assert_null(places_next(&p));
	assert_null(places_swap(&p, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_destination_has_no_limit),
		cmocka_unit_test(all_are_counted),
		cmocka_unit_test(who_waits_goes_in_order),
		cmocka_unit_test(more_width_is_for_who_waits),
		cmocka_unit_test(places_change_turns),
	};

	loop_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
