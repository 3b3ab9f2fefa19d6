/* The words of MTA-STS: the record, the policy, who is listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/sts.h"

static void
records(void **state)
{
	static const struct {
		const char *txt, *id; /* NULL: none */
	} rows[] = {
		{ "v=STSv1; id=20160831085700Z;", "20160831085700Z" },
		{ "v=STSv1; id=a", "a" },
		{ "v=STSv1;id=a;", "a" },
		{ "v=STSv1 ; x=y; id=7 ;", "7" },
		{ "v=STSv1; id=abcdefghijklmnopqrstuvwxyz012345",
		    "abcdefghijklmnopqrstuvwxyz012345" },
		{ "v=STSv1; id=abcdefghijklmnopqrstuvwxyz0123456", NULL },
		{ "v=STSv1; id=;", NULL },
		{ "v=STSv1; id=a-b;", NULL },
		{ "v=STSv1; id=a; id=b;", NULL },
		{ "v=STSv1;", NULL },
		{ "v=STSv12; id=a", NULL },
		{ "V=STSv1; id=a", NULL },
		{ " v=STSv1; id=a", NULL },
		{ "id=a; v=STSv1", NULL },
		{ "v=spf1 -all", NULL },
		{ "", NULL },
	};
	char id[STS_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool ok = sts_read_record(rows[i].txt, id);

		if (ok != (rows[i].id != NULL))
			fail_msg("%s", rows[i].txt);
		if (ok)
			assert_string_equal(id, rows[i].id);
	}
}

static void
policies(void **state)
{
	static const struct {
		const char *text;
		const char *problem; /* NULL: fine, and then: */
		enum sts_mode mode;
		uint32_t age;
		const char *mx;
	} rows[] = {
		{ "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
		  "mx: *.Example.net\r\nmax_age: 604800\r\n",
		    NULL, STS_ENFORCE, 604800,
		    "mail.example.com *.example.net" },
		{ "version:STSv1\nmode:testing\nmx:a.b\nmax_age:1", NULL,
		    STS_TESTING, 1, "a.b" },
		{ "version: STSv1\nmode: none\nmax_age: 9999999999\n", NULL,
		    STS_NONE, STS_AGE_MAX, "" },
		{ "version: STSv1\nmode: none\nmode: enforce\nmax_age: 1\n"
		  "max_age: 2\nfuture: x\n",
		    NULL, STS_NONE, 1, "" },
		{ "version: STSv2\nmode: none\nmax_age: 1\n",
		    "not version STSv1", 0, 0, "" },
		{ "mode: none\nmax_age: 1\n", "no version", 0, 0, "" },
		{ "version: STSv1\nmax_age: 1\n", "no mode", 0, 0, "" },
		{ "version: STSv1\nmode: none\n", "no max_age", 0, 0, "" },
		{ "version: STSv1\nmode: enforce\nmax_age: 1\n", "no mx", 0, 0,
		    "" },
		{ "version: STSv1\nmode: maybe\nmax_age: 1\n", "no such mode",
		    0, 0, "" },
		{ "version: STSv1\nmode: none\nmax_age: -1\n",
		    "max_age is not a number", 0, 0, "" },
		{ "version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1\n",
		    "an mx is not a domain", 0, 0, "" },
		{ "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n",
		    "an mx is not a domain", 0, 0, "" },
		{ "version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1\n",
		    "an mx is not a domain", 0, 0, "" },
		{ "<html>\n", "a line without a colon", 0, 0, "" },
		{ "", "no version", 0, 0, "" },
	};
	struct sts_policy p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *problem =
		    sts_read_policy(&p, rows[i].text, strlen(rows[i].text));

		if (rows[i].problem != NULL) {
			if (problem == NULL)
				fail_msg("%s", rows[i].text);
			assert_string_equal(problem, rows[i].problem);
			continue;
		}
		if (problem != NULL)
			fail_msg("%s: %s", rows[i].text, problem);
		assert_int_equal(p.mode, rows[i].mode);
		assert_int_equal(p.max_age_s, rows[i].age);
		assert_string_equal(p.mx, rows[i].mx);
	}
}

static void
too_many_hosts_are_refused(void **state)
{
	char text[8192] = "version: STSv1\nmode: enforce\nmax_age: 1\n";
	struct sts_policy p;
	size_t n = strlen(text);

	(void)state;
	for (int i = 0; i <= STS_MX_MAX; i++)
		n += (size_t)sprintf(text + n, "mx: m%d.example\n", i);
	assert_string_equal(sts_read_policy(&p, text, n), "too many mx");
}

static void
a_star_is_one_label(void **state)
{
	static const char mx[] = "mail.example.com *.example.net";

	(void)state;
	assert_true(sts_lists(mx, "mail.example.com"));
	assert_true(sts_lists(mx, "MAIL.example.com"));
	assert_true(sts_lists(mx, "a.example.net"));
	assert_false(sts_lists(mx, "example.net"));
	assert_false(sts_lists(mx, "a.b.example.net"));
	assert_false(sts_lists(mx, "mail.example.co"));
	assert_false(sts_lists(mx, "xmail.example.com"));
	assert_false(sts_lists(mx, "a.xexample.net"));
	assert_false(sts_lists(mx, ""));
	assert_false(sts_lists("", "a.b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(policies),
		cmocka_unit_test(too_many_hosts_are_refused),
		cmocka_unit_test(a_star_is_one_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
