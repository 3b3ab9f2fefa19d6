/* Blanks, folding and comments between words. */
#include "test_mail.h"

#include "mail/cfws.h"

struct row {
	const char *name, *in;
	size_t n;
	size_t skipped; /* NONE when there is an error */
};

#define NONE SIZE_MAX

static const struct row rows[] = {
	{ "nothing", S(""), 0 },
	{ "a word", S("x"), 0 },
	{ "blanks", S(" \t x"), 3 },
	{ "folding", S("\r\n x"), 3 },
	{ "folding twice", S(" \r\n\t\r\n x"), 7 },
	{ "line end at the end", S(" \r\n"), 3 },
	{ "line end before a word", S(" \r\nx"), 1 },
	{ "CR", S(" \r x"), 1 },
	{ "LF", S(" \n x"), 1 },
	{ "comment", S("(a) x"), 4 },
	{ "comments", S("(a) (b)(c)x"), 10 },
	{ "nested", S("((a)(b))x"), 8 },
	{ "quoted pairs", S("(\\)\\(\\\\)x"), 8 },
	{ "folded comment", S("(a\r\n b)x"), 7 },
	{ "open comment", S("(a"), NONE },
	{ "open inner comment", S("((a)"), NONE },
	{ "comment with NUL", S("(\0)"), NONE },
	{ "comment with LF", S("(\n)"), NONE },
	{ "comment with quoted LF", S("(\\\n)"), NONE },
	{ "comment cut in a pair", S("(\\"), NONE },
	{ "closed only", S(")"), 0 },
};

static void
skips(void **state)
{
	const struct row *t = *state;
	char *in = exact(t->in, t->n);
	const char *p = cfws_skip(in, in + t->n);

	if (t->skipped == NONE)
		assert_null(p);
	else
		assert_ptr_equal(p, in + t->skipped);
	free(in);
}

static void
finds_the_closing_quote(void **state)
{
	static const struct {
		const char *in;
		int at;
	} t[] = {
		{ "abc\" x", 3 },
		{ "\"", 0 },
		{ "a\\\"b\"", 4 },
		{ "a\\\\\"", 3 },
		{ "a\r\n b\"", 5 },
		{ "(\"", 1 },
		{ "abc", -1 },
		{ "", -1 },
		{ "a\\", -1 },
		{ "a\\\"", -1 },
		{ "a\nb\"", -1 },
		{ "a\r\nb\"", -1 },
		{ "a\x7f\"", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		const char *end = t[i].in + strlen(t[i].in);
		const char *p = cfws_quote(t[i].in, end);

		if (t[i].at < 0)
			assert_null(p);
		else
			assert_ptr_equal(p, t[i].in + t[i].at);
	}
}

int
main(void)
{
	ADD_TABLE(rows, skips);
	add("the closing quote", finds_the_closing_quote, NULL);
	return run_cases("mail/cfws");
}
