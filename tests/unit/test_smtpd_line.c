/* Where a line ends, whatever way its octets come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/line.h"

/* Feed text in pieces of `piece` octets until a line is found; its length, or
 * -1 for a bad, -2 for a long and -3 for an endless one, -4 for none. */
static long
find(const char *text, size_t n, size_t piece, size_t *eaten)
{
	size_t have = 0, front = 0, used, len, skipped = 0;
	enum line r;

	*eaten = 0;
	while (have < n) {
		have = have + piece < n ? have + piece : n;
		r = line_find(
		    text + front, have - front, &used, &len, &skipped);
		assert_true(used <= have - front);
		front += used;
		*eaten = front;
		switch (r) {
		case LINE_GOOD:
			assert_int_equal(used, len + 2);
			return (long)len;
		case LINE_BAD:
			return -1;
		case LINE_LONG:
			assert_int_equal(skipped, 0);
			return -2;
		case LINE_ENDLESS:
			return -3;
		case LINE_MORE:
			/* What is kept is bounded. */
			assert_true(have - front <= LINE_MOST + 2);
			break;
		}
	}
	return -4;
}

static void
each_way(const char *text, size_t n, long want, size_t want_eaten)
{
	static const size_t pieces[] = { 1, 2, 7, 4096, 1 << 20 };
	size_t eaten;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		assert_int_equal(find(text, n, pieces[i], &eaten), want);
		if (want > -3)
			assert_int_equal(eaten, want_eaten);
	}
}

static void
test_ends(void **state)
{
	(void)state;
	each_way("NOOP\r\nRSET\r\n", 12, 4, 6);
	each_way("\r\n", 2, 0, 2);
	each_way("NOOP", 4, -4, 0);
	each_way("NOOP\r", 5, -4, 0);
}

static void
test_bad(void **state)
{
	(void)state;
	each_way("NO\nOP\r\n", 7, -1, 7);
	each_way("NO\rOP\r\n", 7, -1, 7);
	each_way("NOOP\r\r\n", 7, -1, 7);
	each_way("NOOP\n\r\n", 7, -1, 7);
	each_way("\n\r\n", 3, -1, 3);
	each_way("NO\0OP\r\n", 7, -1, 7);
	each_way("NOOP\n", 5, -4, 0);
}

static void
long_line(size_t n, long want)
{
	char *text = malloc(n + 4);

	memset(text, 'x', n);
	memcpy(text + n, "\r\nY", 4);
	each_way(text, n + 2, want, n + 2);
	/* A lone CR where the pieces meet changes nothing. */
	if (n > 10) {
		text[n / 2] = '\r';
		each_way(text, n + 2, want >= 0 ? -1 : want, n + 2);
	}
	free(text);
}

static void
test_long(void **state)
{
	(void)state;
	long_line(LINE_MOST - 1, LINE_MOST - 1);
	long_line(LINE_MOST, LINE_MOST);
	long_line(LINE_MOST + 1, -2);
	long_line(LINE_MOST + 2, -2);
	long_line(LINE_ENDLESS_MOST, -2);
	long_line(LINE_ENDLESS_MOST + 1, -3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
