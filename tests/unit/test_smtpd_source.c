/* Connections are counted by IPv4 address and by IPv6 network. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/source.h"

static struct source *
enter(const char *ip, unsigned most, bool *first)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
		return source_enter((struct sockaddr *)&v4, most, first);
	assert_int_equal(inet_pton(AF_INET6, ip, &v6.sin6_addr), 1);
	return source_enter((struct sockaddr *)&v6, most, first);
}

static void
same(const char *a, const char *b, bool want)
{
	bool first;
	struct source *x = enter(a, 1, &first), *y;

	assert_non_null(x);
	y = enter(b, 1, &first);
	assert_int_equal(y == NULL, want);
	source_leave(x);
	if (y != NULL)
		source_leave(y);
}

static void
test_who_is_one(void **state)
{
	(void)state;
	same("192.0.2.1", "192.0.2.1", true);
	same("192.0.2.1", "192.0.2.2", false);
	same("192.0.2.1", "::ffff:192.0.2.1", true);
	same("::ffff:192.0.2.1", "::ffff:192.0.2.2", false);
	same("2001:db8::1", "2001:db8::ffff:1", true);
	same("2001:db8:0:1::1", "2001:db8:0:2::1", false);
	same("::1", "0.0.0.1", false);
}

static void
test_counts(void **state)
{
	struct source *s[3];
	bool first;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_non_null(s[i] = enter("192.0.2.1", 3, &first));
	assert_null(enter("192.0.2.1", 3, &first));
	assert_true(first);
	assert_null(enter("192.0.2.1", 3, &first));
	assert_false(first);
	source_leave(s[0]);
	assert_non_null(s[0] = enter("192.0.2.1", 3, &first));
	for (int i = 0; i < 3; i++)
		source_leave(s[i]);
	/* Forgotten, and with it that it was told. */
	assert_non_null(s[0] = enter("192.0.2.1", 1, &first));
	assert_null(enter("192.0.2.1", 1, &first));
	assert_true(first);
	source_leave(s[0]);
}

static void
test_none_allowed(void **state)
{
	bool first;

	(void)state;
	assert_null(enter("192.0.2.9", 0, &first));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_one),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_none_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
