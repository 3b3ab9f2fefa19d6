/*
 * What the shells are told, from a table that is hard to quote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/commands.h"
#include "ctl/completion.h"

#define HARD   "a \"b\" $c \\d (e)"
#define QUOTED "\"a \\\"b\\\" \\$c \\\\d (e)\"\n"

static const struct flag flags[] = { { "dear", NULL, HARD },
	{ NULL, NULL, NULL } };

const struct flag common_flags[] = { { "config", "FILE", HARD },
	{ NULL, NULL, NULL } };

const struct command commands[] = {
	{ "alone", NULL, "", flags, NULL, HARD, "" },
	{ "noun", "verb", "", flags, NULL, HARD, "" },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL },
};

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void
fish_reads_help_as_it_is(void **state)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_non_null(f);
	assert_true(completion_print(f, "fish"));
	assert_int_equal(fclose(f), 0);
	/* One common flag, one of each command, and two commands. */
	assert_int_equal(count(text, " -d "), 6);
	assert_int_equal(count(text, " -d " QUOTED), 5);
	assert_int_equal(count(text, "-a noun -d \"\"\n"), 1);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fish_reads_help_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
