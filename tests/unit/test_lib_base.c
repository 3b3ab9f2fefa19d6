/*
 * The small things everybody stands on: record lists, buffers, quoting for
 * the log, addresses.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/net.h"
#include "lib/record.h"

static void
test_lists(void **state)
{
	uint8_t space[32];
	struct bytes rest, item;
	size_t n = 0, count;

	(void)state;
	n = list_add(space, sizeof(space), n, "one", 3);
	n = list_add(space, sizeof(space), n, "", 0);
	n = list_add(space, sizeof(space), n, "three", 5);
	assert_int_equal(n, 14);
	assert_int_equal(list_add(space, 20, n, "123456", 6), 0);
	rest = (struct bytes){ space, n };
	assert_true(list_valid(rest, 5, &count));
	assert_int_equal(count, 3);
	assert_false(list_valid(rest, 4, &count));
	assert_true(list_next(&rest, &item));
	assert_memory_equal(item.data, "one", 3);
	assert_true(list_next(&rest, &item) && item.len == 0);
	assert_true(list_next(&rest, &item) && item.len == 5);
	assert_false(list_next(&rest, &item));
	/* Cut anywhere inside, it is not valid. */
	for (size_t cut = 1; cut < n; cut++)
		if (cut != 5 && cut != 7)
			assert_false(list_valid(
			    (struct bytes){ space, cut }, 5, &count));
}

static void
test_buffers(void **state)
{
	struct buf b = { 0 };
	char big[5000];

	(void)state;
	memset(big, 'x', sizeof(big));
	buf_add(&b, "abc", 3);
	buf_consume(&b, 2);
	buf_add(&b, big, sizeof(big));
	assert_int_equal(b.len, 5001);
	assert_int_equal(buf_data(&b)[0], 'c');
	assert_int_equal(buf_data(&b)[5000], 'x');
	buf_consume(&b, 5001);
	assert_int_equal(b.len, 0);
	buf_addf(&b, "%s-%d", "n", 7);
	assert_memory_equal(buf_data(&b), "n-7", 3);
	buf_addf(&b, "%.*s", 1000, big);
	assert_int_equal(b.len, 1003);
	buf_release(&b);
	assert_null(b.base);
}

static void
test_quoting(void **state)
{
	(void)state;
	assert_string_equal(log_quote("plain"), "\"plain\"");
	assert_string_equal(log_quote(NULL), "\"\"");
	assert_string_equal(log_quote("a\" ip=1\n"), "\"a\\\" ip=1\\x0a\"");
	assert_string_equal(log_quote("h\xc3\xa9"), "\"h\xc3\xa9\"");
	/* C1 controls, overlong and cut sequences do not pass. */
	assert_string_equal(log_quote("\xc2\x85"), "\"\\xc2\\x85\"");
	assert_string_equal(log_quote("\xc0\xaf"), "\"\\xc0\\xaf\"");
	assert_string_equal(log_quote("\xe2\x82"), "\"\\xe2\\x82\"");
}

static void
test_addresses(void **state)
{
	struct net_address a, b;
	char text[NET_TEXT], net[NET_TEXT + 4];

	(void)state;
#define PARSE(s, d) net_parse(&a, s, strlen(s), d)
	assert_true(PARSE("192.0.2.1:25", 0));
	assert_int_equal(net_port((struct sockaddr *)&a.ss), 25);
	assert_true(PARSE("[2001:db8::1]:465", 0));
	net_text((struct sockaddr *)&a.ss, text);
	assert_string_equal(text, "2001:db8::1");
	assert_true(PARSE("::1", 587));
	assert_true(net_is_loopback((struct sockaddr *)&a.ss));
	assert_true(PARSE("::ffff:127.0.0.1", 1));
	net_text((struct sockaddr *)&a.ss, text);
	assert_string_equal(text, "127.0.0.1");
	assert_true(net_parse(&b, "127.0.0.1", 9, 2));
	assert_true(
	    net_equal((struct sockaddr *)&a.ss, (struct sockaddr *)&b.ss));
	assert_false(PARSE("192.0.2.1", 0));
	assert_false(PARSE("192.0.2.1:0", 0));
	assert_false(PARSE("192.0.2.1:65536", 0));
	assert_false(PARSE("192.0.2.1:2x", 0));
	assert_false(PARSE("[::1", 25));
	assert_false(PARSE("[::1]x", 25));
	assert_false(PARSE("host:25", 25));
	assert_false(PARSE("", 25));
#undef PARSE
	net_prefix("192.0.2.77", net);
	assert_string_equal(net, "192.0.2.0/24");
	net_prefix("2001:db8:1:2ff::1", net);
	assert_string_equal(net, "2001:db8:1:200::/56");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("lib_base", tests, NULL, NULL);
}
