/* What strangers wrote reaches a terminal, a script or JSON unharmed and
 * harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/output.h"
#include "ctl/text.h"

static void
clean(const char *in, const char *want)
{
	char out[200];

	assert_string_equal(text_clean(out, sizeof(out), in), want);
}

static void
controls_are_escaped(void **state)
{
	(void)state;
	clean("plain text", "plain text");
	clean("a\tb\nc\rd", "a\\x09b\\x0ac\\x0dd");
	clean("\033[2Jgone", "\\x1b[2Jgone");
	clean("back\\slash", "back\\\\slash");
	clean("\x7f", "\\x7f");
	clean("\xc2\x9b"
	      "31m",
	    "\\u{9b}31m"); /* CSI in its C1 form */
	clean("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7",
	    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7");
	clean("abc\xe2\x80\xae"
	      "def",
	    "abc\\u{202e}def");
	clean("\xe2\x80\xa8", "\\u{2028}");
	clean("\xff\xfe", "\\xff\\xfe");
	clean("\xc3", "\\xc3"); /* cut off */
	clean("\xe2\x82", "\\xe2\\x82");
	clean("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
	clean("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
}

static void
cut_between_characters(void **state)
{
	char out[8], text[] = "caf\xc3\xa9s";

	(void)state;
	assert_string_equal(text_clean(out, 6, "caf\xc3\xa9"), "caf\xc3\xa9");
	assert_string_equal(text_clean(out, 5, "caf\xc3\xa9"), "caf");
	assert_string_equal(text_clean(out, 5, "ab\n"), "ab");
	assert_int_equal(text_width(text), 5);
	text_cut(text, 4);
	assert_string_equal(text, "caf\xc3\xa9");
	text_cut(text, 0);
	assert_string_equal(text, "");
}

static void
numbers(void **state)
{
	char s[TEXT_SHORT];

	(void)state;
	assert_string_equal(text_size(s, 0), "0");
	assert_string_equal(text_size(s, 1023), "1023");
	assert_string_equal(text_size(s, 1024), "1K");
	assert_string_equal(text_size(s, 12711), "12.4K");
	assert_string_equal(text_size(s, 35ull << 20), "35M");
	assert_string_equal(text_size(s, 1024 * 1024 - 1), "1023K");
	assert_string_equal(text_size(s, (1ull << 30) * 3 / 2), "1.5G");
	text_size(s, UINT64_MAX);
	assert_string_equal(text_span(s, 0), "0s");
	assert_string_equal(text_span(s, 59), "59s");
	assert_string_equal(text_span(s, 60), "1m");
	assert_string_equal(text_span(s, 12000), "3h 20m");
	assert_string_equal(text_span(s, 2 * 86400 + 4 * 3600), "2d 4h");
	assert_string_equal(text_time(s, 0), "never");
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(text_time(s, 1795288800), "2026-11-21 19:20");
	text_time(s, UINT64_MAX);
}

static const struct column columns[] = {
	{ "id", "id", CELL_TEXT },
	{ "size", "size", CELL_SIZE },
	{ "when", NULL, CELL_SECONDS },
	{ "weak", NULL, CELL_BOOL },
	{ "last", "last answer", CELL_TEXT },
};

/* What two rows look like on stdout. */
static char *
printed(enum output_mode mode, const char *text)
{
	static char out[4000];
	const struct cell one[] = { { .text = "a1" }, { .n = 2048 },
		{ .n = 1795288800 }, { .n = 1 }, { .text = text } };
	const struct cell two[] = { { .text = "longer" }, { .n = 1 },
		{ .n = 0 }, { .n = 0 }, { .text = "" } };
	FILE *f = tmpfile();
	struct output o;
	int saved;
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	saved = dup(1);
	dup2(fileno(f), 1);
	output_init(&o, mode, false);
	output_begin(&o, columns, 5);
	output_row(&o, one);
	output_row(&o, two);
	output_end(&o, "nothing");
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	rewind(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	fclose(f);
	return out;
}

static void
table_for_people(void **state)
{
	(void)state;
	assert_string_equal(printed(OUTPUT_HUMAN, "450\033 later"),
	    "id      size  last answer\n"
	    "a1        2K  450\\x1b later\n"
	    "longer     1  \n");
}

/* What a list without rows says on stderr. */
static const char *
said_of_nothing(enum output_mode mode, const char *empty)
{
	static char out[200];
	FILE *f = tmpfile();
	struct output o;
	int saved;
	size_t n;

	assert_non_null(f);
	saved = dup(2);
	dup2(fileno(f), 2);
	output_init(&o, mode, false);
	output_begin(&o, columns, 5);
	output_end(&o, empty);
	dup2(saved, 2);
	close(saved);
	rewind(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	fclose(f);
	return out;
}

static void
people_are_told_of_an_empty_list(void **state)
{
	(void)state;
	assert_string_equal(
	    said_of_nothing(OUTPUT_HUMAN, "nothing waits"), "nothing waits\n");
	assert_string_equal(said_of_nothing(OUTPUT_HUMAN, NULL), "");
	assert_string_equal(said_of_nothing(OUTPUT_PLAIN, "nothing waits"), "");
	assert_string_equal(said_of_nothing(OUTPUT_JSON, "nothing waits"), "");
}

static void
lines_for_scripts(void **state)
{
	(void)state;
	assert_string_equal(printed(OUTPUT_PLAIN, "450\tlater\n"),
	    "a1\t2048\t2026-11-21T19:20:00Z\tyes\t450\\x09later\\x0a\n"
	    "longer\t1\t\tno\t\n");
}

static void
objects_for_programs(void **state)
{
	char *text, *nl;
	json_t *j;

	(void)state;
	text = printed(OUTPUT_JSON, "4\"50\n\xff later");
	nl = strchr(text, '\n');
	assert_non_null(nl);
	j = json_loadb(text, (size_t)(nl - text), 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "id")), "a1");
	assert_int_equal(json_integer_value(json_object_get(j, "size")), 2048);
	assert_string_equal(json_string_value(json_object_get(j, "when")),
	    "2026-11-21T19:20:00Z");
	assert_true(json_is_true(json_object_get(j, "weak")));
	/* Not UTF-8, so escaped as for a terminal. */
	assert_string_equal(json_string_value(json_object_get(j, "last")),
	    "4\"50\\x0a\\xff later");
	json_decref(j);
	j = json_loads(nl + 1, 0, NULL);
	assert_non_null(j);
	assert_true(json_is_null(json_object_get(j, "when")));
	assert_true(json_is_false(json_object_get(j, "weak")));
	json_decref(j);
}

static void
a_long_list_flows(void **state)
{
	struct output o;
	const struct cell row[] = { { .text = "x" }, { .n = 1 }, { .n = 0 },
		{ .n = 0 }, { .text = "" } };
	FILE *f = tmpfile();
	int saved = dup(1), lines = 0;

	(void)state;
	fflush(stdout);
	dup2(fileno(f), 1);
	output_init(&o, OUTPUT_HUMAN, true);
	output_begin(&o, columns, 5);
	for (int i = 0; i < 1234; i++)
		output_row(&o, row);
	assert_int_equal(o.nrows, 0); /* nothing is held back any more */
	output_end(&o, "nothing");
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	rewind(f);
	for (int c; (c = fgetc(f)) != EOF;)
		lines += c == '\n';
	fclose(f);
	assert_int_equal(lines, 1235);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_are_escaped),
		cmocka_unit_test(cut_between_characters),
		cmocka_unit_test(numbers),
		cmocka_unit_test(table_for_people),
		cmocka_unit_test(people_are_told_of_an_empty_list),
		cmocka_unit_test(lines_for_scripts),
		cmocka_unit_test(objects_for_programs),
		cmocka_unit_test(a_long_list_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
