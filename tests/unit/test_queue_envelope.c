/*
 * Recipients become parts of one destination each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/messages.h"
#include "queue/envelope.h"

static uint8_t list[1 << 20];

static struct bytes
pack(const char *const *addresses, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len = list_add(list, sizeof(list), len, addresses[i],
		    strlen(addresses[i]));
	return (struct bytes){ list, len };
}

static void
parts_by_domain(void **state)
{
	static const char *const in[] = { "z@b.net", "a@c.net", "y@b.net",
		"\"a b\"@c.net", "z@b.net", "x@[192.0.2.1]" };
	struct envelope e;

	(void)state;
	assert_int_equal(envelope_read(&e, pack(in, 6), 100), ENVELOPE_FINE);
	assert_int_equal(e.nrcpts, 5);
	assert_int_equal(e.nparts, 3);
	assert_string_equal(e.parts[0].domain, "[192.0.2.1]");
	assert_string_equal(e.parts[1].domain, "b.net");
	assert_int_equal(e.parts[1].count, 2);
	assert_string_equal(e.rcpts[e.parts[1].first], "y@b.net");
	assert_string_equal(e.rcpts[e.parts[1].first + 1], "z@b.net");
	assert_string_equal(e.parts[2].domain, "c.net");
	assert_int_equal(e.parts[2].count, 2);
	envelope_clear(&e);
}

static void
parts_are_bounded(void **state)
{
	static char text[250][32];
	const char *in[250];
	struct envelope e;

	(void)state;
	for (int i = 0; i < 250; i++) {
		snprintf(text[i], sizeof(text[i]), "u%d@example.net", i);
		in[i] = text[i];
	}
	assert_int_equal(envelope_read(&e, pack(in, 250), 250), ENVELOPE_FINE);
	assert_int_equal(e.nparts, 3);
	assert_int_equal(e.parts[0].count, JOB_RCPTS);
	assert_int_equal(e.parts[2].count, 50);
	assert_int_equal(e.parts[2].first, 200);
	envelope_clear(&e);
	assert_int_equal(
	    envelope_read(&e, pack(in, 250), 249), ENVELOPE_TOO_MANY);
}

static void
nothing_is_believed(void **state)
{
	static const char *const bad[] = { "", "a", "a@", "@b", "a@B.net",
		"a@b.net ", "\"a\"@b.net", "a@b..net", "a\r\nb@c.net",
		"postmaster", "a@[1.2.3.4" };
	static const uint8_t with_nul[] = { 0, 7, 'a', '@', 'b', '.', 'n', 0,
		't' };
	static const uint8_t cut[] = { 0, 9, 'a', '@', 'b' };
	struct envelope e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    envelope_read(&e, pack(&bad[i], 1), 10), ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ with_nul, sizeof(with_nul) }, 10),
	    ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ cut, sizeof(cut) }, 10),
	    ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ NULL, 0 }, 10), ENVELOPE_EMPTY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_by_domain),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(nothing_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
