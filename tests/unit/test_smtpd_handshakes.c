/*
 * A network has so many handshakes a minute that nobody logs in behind.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net.h"
#include "smtpd/handshakes.h"

#define MOST 60

static int64_t now_ms = 1000000;

static struct network
network(const char *ip)
{
	struct net_address a;
	struct network n;

	assert_true(net_parse(&a, ip, strlen(ip), 1));
	network_of(&n, (struct sockaddr *)&a.ss);
	return n;
}

/* So many are allowed before the first no. */
static int
flood(const char *ip)
{
	struct network n = network(ip);
	bool first;
	int i;

	for (i = 0; i < 10 * MOST; i++) {
		if (!handshakes_allowed(&n, MOST, now_ms, &first))
			break;
		handshakes_begun(&n, MOST, now_ms);
	}
	return i;
}

static void
a_minute_holds_so_many(void **state)
{
	struct network n = network("192.0.2.1");
	bool first;

	(void)state;
	assert_int_equal(flood("192.0.2.1"), MOST);
	/* It was told when it was full, and is told again in a minute. */
	assert_false(handshakes_allowed(&n, MOST, now_ms, &first));
	assert_false(first);
	now_ms += 10000;
	assert_int_equal(flood("192.0.2.1"), MOST / 6);
	now_ms += 60000;
	assert_int_equal(flood("192.0.2.1"), MOST);
	/* No number is any number. */
	assert_true(handshakes_allowed(&n, 0, now_ms, &first));
}

static void
it_is_the_network(void **state)
{
	(void)state;
	assert_int_equal(flood("198.51.100.1"), MOST);
	assert_int_equal(flood("198.51.100.200"), 0);
	assert_int_equal(flood("::ffff:198.51.100.9"), 0);
	assert_int_equal(flood("198.51.101.1"), MOST);
	assert_int_equal(flood("2001:db8:0:100::1"), MOST);
	assert_int_equal(flood("2001:db8:0:1ff:1::2"), 0);
	assert_int_equal(flood("2001:db8:0:200::1"), MOST);
}

static void
who_logs_in_does_not_count(void **state)
{
	struct network n = network("203.0.113.1");
	bool first;

	(void)state;
	for (int i = 0; i < 10 * MOST; i++) {
		assert_true(handshakes_allowed(&n, MOST, now_ms, &first));
		handshakes_begun(&n, MOST, now_ms);
		handshakes_forgive(&n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_holds_so_many),
		cmocka_unit_test(it_is_the_network),
		cmocka_unit_test(who_logs_in_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
