/* Domains and literals. */
#include "test_mail.h"

#include "mail/domain.h"

#define L63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct name {
	const char *name, *in;
	size_t n;
	unsigned allow;
	bool valid;
};

static const struct name names[] = {
	{ "one label", S("a"), 0, true },
	{ "labels", S("mail.example.org"), 0, true },
	{ "digits and hyphens inside", S("a1-2b.c--d"), 0, true },
	{ "nothing", S(""), 0, false },
	{ "a dot", S("."), 0, false },
	{ "trailing dot", S("a.b."), 0, false },
	{ "two trailing dots", S("a.b.."), 0, false },
	{ "underscore", S("a_b.c"), 0, false },
	{ "underscore allowed", S("_a_b_.c"), DOMAIN_UNDERSCORE, true },
	{ "last label numeric", S("a.1"), 0, false },
	{ "four numbers", S("10.0.0.1"), 0, false },
	{ "hyphen first", S("-a"), DOMAIN_UNDERSCORE, false },
	{ "hyphen last", S("a-.b"), DOMAIN_UNDERSCORE, false },
	{ "label of 63", S(L63), 0, true },
	{ "label of 64", S(L63 "x"), DOMAIN_UNDERSCORE, false },
	{ "255 octets", S(L63 "." L63 "." L63 "." L63), 0, true },
	{ "256 octets in labels",
	    S(L63 "." L63 "." L63 "."
		  "abcdefghijklmnopqrstuvwxyz"
		  "abcdefghijklmnopqrstuvwxyzabcdefghij.x"),
	    0, false },
	{ "256 octets", S(L63 "." L63 "." L63 "." L63 "."), 0, false },
	{ "NUL", S("a\0b"), DOMAIN_UNDERSCORE, false },
	{ "space", S("a b"), DOMAIN_UNDERSCORE, false },
	{ "8-bit", S("\xc3\xa4.de"), DOMAIN_UNDERSCORE, false },
	{ "literal", S("[1.2.3.4]"), DOMAIN_UNDERSCORE, false },
};

static void
judges(void **state)
{
	const struct name *t = *state;
	char *in = exact(t->in, t->n);

	assert_int_equal(domain_valid(in, t->n, t->allow), t->valid);
	free(in);
}

static void
literals(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "[1.2.3.4]", "[1.2.3.4]" },
		{ "[IPv6:::1]", "[IPv6:::1]" },
		{ "[IPV6:0:0:0:0:0:0:0:A]", "[IPv6:::a]" },
		{ "[IPv6:::ffff:192.0.2.1]", "[IPv6:::ffff:192.0.2.1]" },
		{ "1.2.3.4", NULL },
		{ "[1.2.3.4", NULL },
		{ "[", NULL },
		{ "[]", NULL },
		{ "", NULL },
		{ "[::1]", NULL },
		{ "[IPv6:1.2.3.4]", NULL },
		{ "[IPv4:1.2.3.4]", NULL },
		{ "[01.2.3.4]", NULL },
		{ "[0x1.2.3.4]", NULL },
		{ "[1.2.3.4.5]", NULL },
		{ "[1]", NULL },
	};
	char out[DOMAIN_MAX];

	(void)state;
	assert_false(domain_literal(S("[192.0.2.1\0]"), out));
	assert_false(domain_literal(S("[IPv6:" L63 "]"), out));
	assert_false(domain_literal(S("x1.2.3.4]"), out));
	for (size_t i = 0; i < COUNT(t); i++) {
		bool ok = domain_literal(t[i].in, strlen(t[i].in), out);

		assert_int_equal(ok, t[i].out != NULL);
		if (ok)
			assert_string_equal(out, t[i].out);
	}
}

static void
a_labels(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} t[] = {
		{ "Example.ORG", "example.org" },
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.example",
		    "xn--bcher-kva.example" },
		{ "bu\xcc\x88"
		  "cher.example",
		    "xn--bcher-kva.example" },
		/* Not "strasse": IDNA2008 keeps the two apart. */
		{ "stra\xc3\x9f"
		  "e.example",
		    "xn--strae-oqa.example" },
		{ "\xe4\xbe\x8b\xe3\x80\x82"
		  "example",
		    "xn--fsq.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "\xef\xbd\x81.example", "a.example" },
		{ "b\xfc"
		  "cher.example",
		    NULL },
		{ "\xe2\x84\x80.example", NULL }, /* a sign made of "a/c" */
		{ "\xef\xbc\xa0.example", NULL }, /* a wide "@" */
		{ "\xe2\x98\x83.example", NULL }, /* a snowman */
		{ "\xc3\xbc..example", NULL },
		{ "\xc3\xbc_x.example", NULL },
		{ "\xc3\xbc.example.", NULL },
		{ "\xc3\xbc.7", NULL },
		{ "\xe2\x80\xae"
		  "a.example",
		    NULL },
		{ "a..b", NULL },
		{ "", NULL },
	};
	char out[DOMAIN_MAX];

	(void)state;
	assert_false(domain_ascii(S("\xc3\xbc\0.example"), out));
	for (size_t i = 0; i < COUNT(t); i++) {
		char *in = exact(t[i].in, strlen(t[i].in));
		bool ok = domain_ascii(in, strlen(t[i].in), out);

		free(in);
		if (ok != (t[i].out != NULL))
			fail_msg("%s", t[i].in);
		if (ok)
			assert_string_equal(out, t[i].out);
	}
}

int
main(void)
{
	add("U-labels become A-labels", a_labels, NULL);

	ADD_TABLE(names, judges);
	add("literals have one form", literals, NULL);
	return run_cases("mail/domain");
}
