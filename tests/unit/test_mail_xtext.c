/* The encoding of values in MAIL and RCPT. */
#include "test_mail.h"

#include "mail/xtext.h"

struct row {
	const char *name, *in, *out; /* out NULL: refused */
};

static const struct row rows[] = {
	{ "plain", "abc", "abc" },
	{ "nothing", "", "" },
	{ "encoded", "a+3Db+2B+20c", "a=b+ c" },
	{ "encoded in vain", "+41", "A" },
	{ "an equals sign", "a=b", NULL },
	{ "a space", "a b", NULL },
	{ "lower case", "+3d", NULL },
	{ "cut after the plus", "a+", NULL },
	{ "cut after a digit", "a+3", NULL },
	{ "a control", "+0D", NULL },
	{ "a NUL", "+00", NULL },
	{ "DEL", "+7F", NULL },
	{ "over ASCII", "+FC", NULL },
	{ "raw 8-bit", "\xfc", NULL },
	{ "too long", "0123456789abcdef", NULL },
};

static void
decodes(void **state)
{
	const struct row *t = *state;
	char out[16], again[48], *in = exact(t->in, strlen(t->in));
	bool ok = xtext_decode(in, strlen(t->in), out, sizeof(out));

	free(in);
	assert_int_equal(ok, t->out != NULL);
	if (!ok)
		return;
	assert_string_equal(out, t->out);
	xtext_encode(out, again, sizeof(again));
	assert_true(xtext_decode(again, strlen(again), out, sizeof(out)));
	assert_string_equal(out, t->out);
}

static void
encodes(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(xtext_encode("a=b", out, sizeof(out)), 5);
	assert_string_equal(out, "a+3Db");
	assert_int_equal(xtext_encode("1234567", out, sizeof(out)), 7);
	assert_int_equal(xtext_encode("12345678", out, sizeof(out)), 0);
	assert_int_equal(xtext_encode("12345=", out, sizeof(out)), 0);
	assert_int_equal(xtext_encode("", out, sizeof(out)), 0);
}

static const struct orcpt {
	const char *name, *in;
	bool utf8;
	const char *out; /* "": cannot be said */
} orcpts[] = {
	{ "a mail address", "rfc822;a+b@c.net", true, "rfc822;a+2Bb@c.net" },
	{ "utf-8 for who takes it", "utf-8;\xc3\xbc@c.net", true,
	    "utf-8;\xc3\xbc@c.net" },
	{ "utf-8 for who does not", "utf-8;\xc3\xbc\xf0\x9f\x98\x80@c.net",
	    false, "utf-8;\\x{FC}\\x{1F600}@c.net" },
	{ "utf-8, what it uses itself", "UTF-8;a+b\\=c", true,
	    "UTF-8;a\\x{2B}b\\x{5C}\\x{3D}c" },
	{ "not utf-8", "utf-8;\xff", true, "utf-8;+FF" },
	{ "no type", "a@c.net", true, "" },
	{ "a type that is none", "a\r\nDATA;a@c.net", true, "" },
	{ "controls", "utf-8;a\r\x7f", true, "utf-8;a\\x{0D}\\x{7F}" },
	{ "an empty type", ";a@c.net", true, "" },
	{ "none", "", true, "" },
	{ "too long", "rfc822;0123456789012345678901234567", true, "" },
};

static void
encodes_orcpt(void **state)
{
	const struct orcpt *t = *state;
	char out[32];
	size_t n = xtext_orcpt(t->in, t->utf8, out, sizeof(out));

	assert_int_equal(n, strlen(t->out));
	if (n > 0)
		assert_string_equal(out, t->out);
}

int
main(void)
{
	ADD_TABLE(orcpts, encodes_orcpt);
	ADD_TABLE(rows, decodes);
	add("encodes", encodes, NULL);
	return run_cases("mail/xtext");
}
