/*
 * Where and as whom a credential is good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/scope.h"

static void
networks_are_read(void **state)
{
	static const struct {
		const char *list;
		bool valid;
	} rows[] = {
		/* clang-format off */
		{ "", true },
		{ "192.0.2.7", true },
		{ "192.0.2.0/24, 2001:db8::/32", true },
		{ "0.0.0.0/0 ::/0", true },
		{ "192.0.2.7/24", true }, /* as old rows have them */
		{ "192.0.2.0/33", false },
		{ "2001:db8::/129", false },
		{ "192.0.2.0/", false },
		{ "192.0.2.0/x", false },
		{ "192.0.2.0/-1", false },
		{ "192.0.2", false },
		{ "192.0.2.7:25", false },
		{ "[::1]", false },
		{ "office", false },
		{ "192.0.2.1,office", false },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (scope_networks_valid(rows[i].list) != rows[i].valid)
			fail_msg("%s", rows[i].list);
}

static void
networks_cover(void **state)
{
	static const struct {
		const char *list, *ip;
		bool covers;
	} rows[] = {
		/* clang-format off */
		{ "", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.8", false },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.7/24", "192.0.2.9", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "198.51.100.0/24 192.0.2.0/24", "192.0.2.1", true },
		/* One family says nothing of the other. */
		{ "::/0", "192.0.2.7", false },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "0.0.0.0/0", "192.0.2.7", true },
		{ "192.0.2.0/24", "", false },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (scope_networks_cover(rows[i].list, rows[i].ip) !=
		    rows[i].covers)
			fail_msg("%s %s", rows[i].list, rows[i].ip);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_read),
		cmocka_unit_test(networks_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
