/* UTF-8: the edges of RFC 3629. */
#include "test_mail.h"

#include "mail/utf8.h"

struct row {
	const char *name, *in;
	size_t n;
	bool valid;
};

static const struct row rows[] = {
	{ "nothing", S(""), true },
	{ "ASCII", S("abc\x7f"), true },
	{ "NUL", S("\0"), true },
	{ "U+0080", S("\xc2\x80"), true },
	{ "U+07FF", S("\xdf\xbf"), true },
	{ "U+0800", S("\xe0\xa0\x80"), true },
	{ "U+D7FF", S("\xed\x9f\xbf"), true },
	{ "U+E000", S("\xee\x80\x80"), true },
	{ "U+FFFF", S("\xef\xbf\xbf"), true },
	{ "U+10000", S("\xf0\x90\x80\x80"), true },
	{ "U+10FFFF", S("\xf4\x8f\xbf\xbf"), true },
	{ "mixed", S("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z"), true },
	{ "overlong slash", S("\xc0\xaf"), false },
	{ "overlong U+007F", S("\xc1\xbf"), false },
	{ "overlong U+07FF", S("\xe0\x9f\xbf"), false },
	{ "overlong U+FFFF", S("\xf0\x8f\xbf\xbf"), false },
	{ "overlong NUL", S("\xc0\x80"), false },
	{ "surrogate", S("\xed\xa0\x80"), false },
	{ "last surrogate", S("\xed\xbf\xbf"), false },
	{ "U+110000", S("\xf4\x90\x80\x80"), false },
	{ "five bytes", S("\xf8\x88\x80\x80\x80"), false },
	{ "FE", S("\xfe"), false },
	{ "FF", S("\xff"), false },
	{ "continuation alone", S("\x80"), false },
	{ "cut after one of two", S("\xc3"), false },
	{ "cut after two of three", S("\xe2\x82"), false },
	{ "cut after three of four", S("\xf0\x9f\x98"), false },
	{ "text in a sequence", S("\xc3z"), false },
	{ "text late in a sequence", S("\xe2\x82z"), false },
	{ "Latin-1", S("J\xfcrgen"), false },
};

static void
judges(void **state)
{
	const struct row *t = *state;
	char *in = exact(t->in, t->n);

	assert_int_equal(utf8_valid(in, t->n), t->valid);
	free(in);
}

static void
knows_controls(void **state)
{
	(void)state;
	assert_true(utf8_text(S("")));
	assert_true(utf8_text(S("a b\xc2\xa0\xc3\xbc~")));
	assert_false(utf8_text(S("a\0")));
	assert_false(utf8_text(S("a\x1f")));
	assert_false(utf8_text(S("\x7f")));
	assert_false(utf8_text(S("\xc2\x80")));
	assert_false(utf8_text(S("\xc2\x9f")));
	assert_false(utf8_text(S("\xc2")));
	assert_false(utf8_text(S("J\xfcrgen")));
}

static void
makes_text(void **state)
{
	char all[256], s[] = "a\x1f\xc2\x85\xc3\xbc\xed\xa0\x80\xff";

	(void)state;
	utf8_clean(s);
	assert_string_equal(s, "a???\xc3\xbc????");
	utf8_clean(s);
	assert_string_equal(s, "a???\xc3\xbc????");
	for (unsigned i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	utf8_clean(all);
	assert_int_equal(strlen(all), 255);
	assert_true(utf8_text(all, 255));
}

static void
reads_windows(void **state)
{
	char all[256], out[3 * 256];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		all[i] = (char)i;
	n = utf8_from_windows(all, 256, out, sizeof(out));
	assert_true(n > 0 && utf8_valid(out, n));
	assert_memory_equal(out, all, 128);
	assert_int_equal(utf8_from_windows("\x80", 1, out, 2), 0);
	assert_int_equal(utf8_from_windows("\x80", 1, out, 3), 3);
	assert_memory_equal(out, "\xe2\x82\xac", 3);
	assert_int_equal(utf8_from_windows("\xfc", 1, out, 1), 0);
	assert_int_equal(utf8_from_windows("\xfc", 1, out, 2), 2);
	assert_memory_equal(out, "\xc3\xbc", 2);
	assert_int_equal(utf8_from_windows("", 0, out, 0), 0);
}

int
main(void)
{
	add("Windows-1252 becomes UTF-8", reads_windows, NULL);
	add("what is no text becomes it", makes_text, NULL);
	add("controls are no text", knows_controls, NULL);

	ADD_TABLE(rows, judges);
	return run_cases("mail/utf8");
}
