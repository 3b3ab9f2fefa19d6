/* Enhanced status codes. */
#include "test_mail.h"

#include "mail/status.h"

struct row {
	const char *name, *in;
	size_t n;
	const char *out; /* NULL: there is none */
};

static const struct row rows[] = {
	{ "status", S("5.1.1"), "5.1.1" },
	{ "status and text", S("2.0.0 ok"), "2.0.0" },
	{ "status and tab", S("2.0.0\tok"), "2.0.0" },
	{ "longest", S("4.999.999"), "4.999.999" },
	{ "zeros", S("4.0.0"), "4.0.0" },
	{ "nothing", S(""), NULL },
	{ "class 1", S("1.0.0"), NULL },
	{ "class 3", S("3.0.0"), NULL },
	{ "class of two digits", S("55.0.0"), NULL },
	{ "no subject", S("5"), NULL },
	{ "no detail", S("5.1"), NULL },
	{ "empty detail", S("5.1."), NULL },
	{ "empty subject", S("5..1"), NULL },
	{ "empty subject, long detail", S("5..10"), NULL },
	{ "four digits", S("5.1.1000"), NULL },
	{ "four digits in the middle", S("5.1000.1"), NULL },
	{ "leading zero", S("5.1.01"), NULL },
	{ "leading zero in the middle", S("5.01.1"), NULL },
	{ "fourth number", S("5.1.1.1"), NULL },
	{ "text at once", S("5.1.1x"), NULL },
	{ "blank in front", S(" 5.1.1"), NULL },
	{ "NUL behind", S("5.1.1\0"), NULL },
	{ "letters", S("5.a.b"), NULL },
};

static void
parses(void **state)
{
	const struct row *t = *state;
	char out[STATUS_MAX], *in = exact(t->in, t->n);
	size_t n = status_parse(in, t->n, out);

	free(in);
	assert_int_equal(n, t->out != NULL ? strlen(t->out) : 0);
	if (n > 0)
		assert_string_equal(out, t->out);
}

static void
fits(void **state)
{
	(void)state;
	assert_true(status_fits("5.1.1", 550));
	assert_true(status_fits("4.1.1", 421));
	assert_true(status_fits("2.0.0", 250));
	assert_false(status_fits("5.1.1", 450));
	assert_false(status_fits("2.0.0", 354));
	assert_false(status_fits("", 0));
}

/* Each code's default is a status of the code's own class. */
static void
defaults(void **state)
{
	char out[STATUS_MAX];

	(void)state;
	for (int code = 200; code < 600; code++) {
		const char *s = status_default(code);

		if (code / 100 == 3)
			continue;
		assert_int_equal(status_parse(s, strlen(s), out), strlen(s));
		assert_true(status_fits(s, code));
	}
	assert_string_equal(status_default(250), "2.0.0");
	assert_string_equal(status_default(535), "5.7.8");
	assert_string_equal(status_default(550), "5.0.0");
	assert_string_equal(status_default(450), "4.0.0");
	assert_string_equal(status_default(0), "5.0.0");
}

int
main(void)
{
	ADD_TABLE(rows, parses);
	add("fits a code of its class", fits, NULL);
	add("defaults are of the code's class", defaults, NULL);
	return run_cases("mail/status");
}
