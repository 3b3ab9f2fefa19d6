/*
 * test_lib_screen.c - rules of [screen]: read, matched, and told apart from
 * those that never could match.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/conf.h"

#define HEAD \
	"hostname = mail.example.org\n" \
	"[listen submissions]\naddress = 127.0.0.1:4650\ntls = implicit\n" \
	"[screen]\n" /* the first rule is line 6 */

static char told[1000];
static int line_told;

static void
keep(void *arg, int line, const char *text, const char *hint)
{
	(void)arg;
	line_told = line;
	snprintf(told, sizeof(told), "%s (%s)", text, hint);
}

static struct conf *
parse(const char *rules)
{
	char text[8000];
	int n = snprintf(text, sizeof(text), "%s%s", HEAD, rules);

	told[0] = '\0';
	line_told = 0;
	return conf_parse("test", text, (size_t)n, keep, NULL);
}

static struct sockaddr_storage
address(const char *ip)
{
	struct net_address a;

	assert_true(net_parse(&a, ip, strlen(ip), 1));
	return a.ss;
}

/* The line of the rule for this client; 0 none, and 100 more when unsure. */
static int
line_for(const struct conf *c, const char *ip, const uint8_t *facts)
{
	struct sockaddr_storage ss = address(ip);
	struct screen_match m;

	screen_match(c, (struct sockaddr *)&ss, facts, &m);
	return (m.unsure ? 100 : 0) + (m.rule == NULL ? 0 : m.rule->line);
}

static void
the_first_that_matches_wins(void **state)
{
	struct conf *c = parse("rule = allow 192.0.2.7\n"
			       "rule = refuse 192.0.2.0/24 \"not from there\"\n"
			       "rule = slow 2001:db8::/32\n"
			       "rule = certificate 0.0.0.0/0\n");
	char text[SCREEN_TEXT];

	(void)state;
	assert_non_null(c);
	assert_int_equal(line_for(c, "192.0.2.7", NULL), 6);
	assert_int_equal(line_for(c, "192.0.2.8", NULL), 7);
	assert_int_equal(line_for(c, "192.0.3.8", NULL), 9);
	assert_int_equal(line_for(c, "::ffff:192.0.2.8", NULL), 7);
	assert_int_equal(line_for(c, "2001:db8::1", NULL), 8);
	/* All of IPv4 is nothing of IPv6. */
	assert_int_equal(line_for(c, "2001:db9::1", NULL), 0);
	assert_string_equal(screen_text(&c->rules[1], text), "not from there");
	assert_non_null(
	    strstr(screen_text(&c->rules[3], text), "client certificate"));
	conf_free(c);
}

static void
what_nobody_knows_is_unsure(void **state)
{
	struct conf *c = parse("rule = allow *.example.net\n"
			       "rule = refuse 192.0.2.0/24\n"
			       "rule = slow list bl.example\n"
			       "rule = refuse any\n");
	uint8_t facts[SCREEN_RULES] = { SCREEN_UNKNOWN };

	(void)state;
	assert_non_null(c);
	assert_int_equal(line_for(c, "192.0.2.7", NULL), 107);
	assert_int_equal(line_for(c, "198.51.100.7", NULL), 109);
	facts[0] = SCREEN_YES;
	assert_int_equal(line_for(c, "192.0.2.7", facts), 6);
	facts[0] = SCREEN_NO;
	assert_int_equal(line_for(c, "192.0.2.7", facts), 7);
	assert_int_equal(line_for(c, "198.51.100.7", facts), 109);
	facts[2] = SCREEN_YES;
	assert_int_equal(line_for(c, "198.51.100.7", facts), 8);
	facts[2] = SCREEN_NO;
	assert_int_equal(line_for(c, "198.51.100.7", facts), 9);
	conf_free(c);
	/* What might refuse as well does not make a refusal less sure. */
	c = parse("rule = refuse list bl.example\nrule = refuse any\n");
	assert_int_equal(line_for(c, "192.0.2.7", NULL), 7);
	conf_free(c);
	c = parse("rule = refuse list bl.example\n");
	assert_int_equal(line_for(c, "192.0.2.7", NULL), 100);
	conf_free(c);
	c = parse("rule = allow list good.example\n");
	assert_int_equal(line_for(c, "192.0.2.7", NULL), 0);
	conf_free(c);
}

static void
all_of_ipv6_is_no_ipv4(void **state)
{
	struct conf *c = parse("rule = refuse ::/0\n");

	(void)state;
	assert_non_null(c);
	assert_int_equal(line_for(c, "2001:db8::1", NULL), 6);
	assert_int_equal(line_for(c, "192.0.2.1", NULL), 0);
	conf_free(c);
}

static void
names_are_whole_labels(void **state)
{
	struct screen_rule r = { .name = "*.example.net" };

	(void)state;
	assert_true(screen_names(&r, "a.example.net"));
	assert_true(screen_names(&r, "a.b.example.net"));
	assert_false(screen_names(&r, "example.net"));
	assert_false(screen_names(&r, ".example.net"));
	assert_false(screen_names(&r, "badexample.net"));
	assert_false(screen_names(&r, "a.example.net.evil.example"));
	strcpy(r.name, "mail.example.net");
	assert_true(screen_names(&r, "mail.example.net"));
	assert_false(screen_names(&r, "a.mail.example.net"));
}

static void
errors_of_a_list_are_no_listings(void **state)
{
	struct screen_rule r = { .kind = SCREEN_LIST };

	(void)state;
	assert_true(screen_counts(&r, 0x7f000002));
	assert_true(screen_counts(&r, 0x7f00000a));
	assert_true(screen_counts(&r, 0x7f010203));
	assert_false(screen_counts(&r, 0x7f000001));
	assert_false(screen_counts(&r, 0x7ffffffe)); /* 127.255.255.254 */
	assert_false(screen_counts(&r, 0x7fffff00));
	assert_false(screen_counts(&r, 0xc0000201)); /* a wildcard */
	assert_false(screen_counts(&r, 0));
	r.ncodes = 1;
	r.codes[0].first = 0x7f000002;
	r.codes[0].last = 0x7f000004;
	assert_true(screen_counts(&r, 0x7f000004));
	assert_false(screen_counts(&r, 0x7f00000a));
	assert_false(screen_counts(&r, 0x7ffffffe));
}

static void
questions_are_reversed(void **state)
{
	char out[256];

	(void)state;
	assert_true(screen_question("192.0.2.7", NULL, out, sizeof(out)));
	assert_string_equal(out, "7.2.0.192.in-addr.arpa");
	assert_true(
	    screen_question("192.0.2.7", "bl.example", out, sizeof(out)));
	assert_string_equal(out, "7.2.0.192.bl.example");
	assert_true(
	    screen_question("2001:db8::7", "bl.example", out, sizeof(out)));
	assert_string_equal(out,
	    "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "bl.example");
	assert_false(screen_question("2001:db8::7", NULL, out, 60));
	assert_false(screen_question("nonsense", NULL, out, sizeof(out)));
}

static void
what_is_never_reached_is_told(void **state)
{
	static const struct {
		const char *rules;
		int line, by;
	} rows[] = {
		{ "rule = refuse 192.0.2.0/24\nrule = allow 192.0.2.7\n", 7,
		    6 },
		{ "rule = allow any\nrule = slow list bl.example\n", 7, 6 },
		{ "rule = allow *.example.net\nrule = refuse a.example.net\n",
		    7, 6 },
		{ "rule = allow *.example.net\nrule = refuse *.a.example.net\n",
		    7, 6 },
		{ "rule = slow list bl.example\n"
		  "rule = refuse list BL.example 127.0.0.2\n",
		    7, 6 },
		{ "rule = slow list bl.example 127.0.0.2-127.0.0.9\n"
		  "rule = refuse list bl.example 127.0.0.4\n",
		    7, 6 },
		{ "rule = slow 0.0.0.0/0\nrule = slow ::/0\n"
		  "rule = refuse a.example.net\n",
		    8, 7 },
		{ "rule = slow 2001:db8::/32\nrule = slow 2001:db8::/32\n", 7,
		    6 },
	};
	char by[20];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(by, sizeof(by), "in line %d", rows[i].by);
		assert_null(parse(rows[i].rules));
		assert_int_equal(line_told, rows[i].line);
		assert_non_null(strstr(told, "never acts"));
		assert_non_null(strstr(told, by));
		assert_non_null(strstr(told, "move it above"));
	}
}

static void
what_is_reached_is_not(void **state)
{
	static const char *const rules[] = {
		"rule = allow 192.0.2.7\nrule = refuse 192.0.2.0/24\n",
		"rule = refuse ::/0\nrule = refuse 192.0.2.0/24\n",
		"rule = allow 192.0.2.0/24\nrule = refuse a.example.net\n",
		"rule = allow a.example.net\nrule = refuse *.example.net\n",
		"rule = allow *.example.net\nrule = refuse example.net\n",
		("rule = refuse list bl.example 127.0.0.2\n"
		 "rule = slow list bl.example\n"),
		"rule = slow 0.0.0.0/0\nrule = refuse a.example.net\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct conf *c = parse(rules[i]);

		assert_string_equal(told, "");
		conf_free(c);
	}
}

static void
mistakes_are_told_with_the_remedy(void **state)
{
	static const struct {
		const char *rule, *remedy;
	} rows[] = {
		{ "rule = reject 192.0.2.0/24", "write an action" },
		{ "rule = refuse", "write an action" },
		{ "rule = refuse 192.0.2.1/24", "has zeros there" },
		{ "rule = refuse 192.0.2.0/33", "number of bits" },
		{ "rule = refuse 192.0.2", "write networks like" },
		{ "rule = refuse .example.net", "write *.example.net" },
		{ "rule = refuse localhost", "write an action" },
		{ "rule = refuse a_b.example.net", "write an action" },
		{ "rule = refuse list", "write the zone of the list" },
		{ "rule = refuse list bl.example 192.0.2.1",
		    "write the codes" },
		{ "rule = refuse list bl.example 127.0.0.9-127.0.0.2",
		    "write a range" },
		{ "rule = refuse any no quotes", "\"quotes\"" },
		{ "rule = refuse any \"cut off ; here\"", "quote at the end" },
		{ "rule = allow any \"welcome\"", "only refuse and" },
		{ "rules = allow any", "did you mean \"rule\"" },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), "%s\n", rows[i].rule);
		assert_null(parse(text));
		assert_int_equal(line_told, 6);
		if (strstr(told, rows[i].remedy) == NULL)
			fail_msg("%s: %s", rows[i].rule, told);
	}
}

static void
it_prints_as_it_is_read(void **state)
{
	static const char *const rules[] = {
		"refuse 192.0.2.0/24 \"no\"",
		"allow host.example.net",
		"certificate *.example.net",
		"slow list bl.example 127.0.0.2,127.0.0.4-127.0.0.7",
		"refuse any",
	};
	char text[600], out[400];
	struct conf *c;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		snprintf(text, sizeof(text), "rule = %s\n", rules[i]);
		c = parse(text);
		assert_non_null(c);
		conf_rule_print(&c->rules[0], out, sizeof(out));
		assert_string_equal(out, rules[i]);
		conf_free(c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_matches_wins),
		cmocka_unit_test(what_nobody_knows_is_unsure),
		cmocka_unit_test(all_of_ipv6_is_no_ipv4),
		cmocka_unit_test(names_are_whole_labels),
		cmocka_unit_test(errors_of_a_list_are_no_listings),
		cmocka_unit_test(questions_are_reversed),
		cmocka_unit_test(what_is_never_reached_is_told),
		cmocka_unit_test(what_is_reached_is_not),
		cmocka_unit_test(mistakes_are_told_with_the_remedy),
		cmocka_unit_test(it_prints_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
