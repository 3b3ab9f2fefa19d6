/*
 * Addresses of a preference: whose turn it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/places.h"

static struct places places;

static struct net_address
address(const char *text)
{
	struct net_address a;

	assert_true(net_parse(&a, text, strlen(text), 53));
	return a;
}

/* Addresses "PREFIX1" to "PREFIXn" of a host. */
static void
add(unsigned host, const char *prefix, unsigned n)
{
	struct answer a = { .n = n };
	char text[NET_TEXT];

	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s%u", prefix, i + 1);
		a.records[i].address = address(text);
	}
	places_add_answer(&places, host, &a, 25);
}

static void
next_is(unsigned host, const char *want)
{
	const struct place *p = places_next(&places);
	const struct sockaddr *sa;
	char text[NET_TEXT];

	assert_non_null(p);
	sa = (const struct sockaddr *)&p->address.ss;
	net_text(sa, text);
	assert_string_equal(text, want);
	assert_int_equal(p->host, host);
	assert_int_equal(net_port(sa), 25);
}

static void
test_turns(void **state)
{
	(void)state;
	places_clear(&places);
	add(1, "192.0.2.", 2);
	add(0, "198.51.100.", 1);
	add(1, "2001:db8::", 3);
	assert_null(places_next(&places));
	places_line_up(&places, 0, 2);
	next_is(0, "198.51.100.1");
	next_is(1, "2001:db8::1");
	next_is(1, "192.0.2.1");
	next_is(1, "2001:db8::2");
	next_is(1, "192.0.2.2");
	next_is(1, "2001:db8::3");
	assert_null(places_next(&places));
	assert_null(places_next(&places));
}

/* Only those of the hosts that were named. */
static void
test_some(void **state)
{
	(void)state;
	places_clear(&places);
	add(3, "192.0.2.", 1);
	add(4, "198.51.100.", 1);
	places_line_up(&places, 4, 5);
	next_is(4, "198.51.100.1");
	assert_null(places_next(&places));
}

static void
test_bounds(void **state)
{
	unsigned n = 0;

	(void)state;
	places_clear(&places);
	add(0, "192.0.2.", PLACES_FAMILY + 3);
	places_line_up(&places, 0, 1);
	while (places_next(&places) != NULL)
		n++;
	assert_int_equal(n, PLACES_FAMILY);

	places_clear(&places);
	for (unsigned host = 0; host < PLACES_MAX; host++)
		add(host, "192.0.2.", 2);
	assert_int_equal(places.n, PLACES_MAX);
	places_line_up(&places, 0, PLACES_MAX);
	for (n = 0; places_next(&places) != NULL; n++)
		;
	assert_int_equal(n, PLACES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_some),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
