/* Address lists: every form of RFC 5322, and nothing that is ambiguous. */
#include "test_mail.h"

#include "mail/header.h"

struct row {
	const char *name, *in;
	size_t n;
	const char *out; /* canonical addresses with blanks between; NULL: no */
};

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static const struct row rows[] = {
	{ "address", S("alice@example.org"), "alice@example.org" },
	{ "in angles", S("<alice@example.org>"), "alice@example.org" },
	{ "display name", S("Alice Example <alice@example.org>"),
	    "alice@example.org" },
	{ "no blank before the angle", S("Alice<alice@example.org>"),
	    "alice@example.org" },
	{ "quoted name", S("\"Example, Alice\" <alice@example.org>"),
	    "alice@example.org" },
	{ "empty quoted name", S("\"\" <alice@example.org>"),
	    "alice@example.org" },
	{ "quotes within a quoted name",
	    S("\"Alice \\\"Al\\\" <x@y>\" <alice@example.org>"),
	    "alice@example.org" },
	{ "atoms and quotes mixed", S("Dr. \"A. B.\" Smith <a@b>"), "a@b" },
	{ "name with dots", S("Alice Q. Example <alice@example.org>"),
	    "alice@example.org" },
	{ "encoded word", S("=?utf-8?Q?J=C3=BCrgen?= <j@b>"), "j@b" },
	{ "encoded words", S("=?utf-8?B?SsO8?= =?utf-8?B?cmdlbg==?= <j@b>"),
	    "j@b" },
	{ "encoded word and atoms", S("Dr =?us-ascii?q?X?= Y <j@b>"), "j@b" },
	{ "comma in an encoded word", S("=?UTF-8?Q?Doe,_Jane?= <j@b>"), "j@b" },
	{ "brackets in an encoded word", S("=?utf-8?q?[List]_x?= <j@b>"),
	    "j@b" },
	{ "half an encoded word", S("=?utf-8?q <j@b>"), "j@b" },
	{ "UTF-8 local part", S("\xc3\xbc@b"), "\xc3\xbc@b" },
	{ "U-label", S("<a@\xc3\xbc.b>"), "a@xn--tda.b" },
	{ "8-bit name", S("J\xc3\xbcrgen <j@b>"), "j@b" },
	{ "8-bit quoted name", S("\"J\xc3\xbcrgen, X\" <j@b>"), "j@b" },
	{ "two", S("a@b, c@d"), "a@b c@d" },
	{ "two, every form", S("A <a@b>,c@d , \"E\" <e@f>"), "a@b c@d e@f" },
	{ "empty elements", S(", a@b,, c@d ,"), "a@b c@d" },
	{ "comment behind", S("a@b (Alice)"), "a@b" },
	{ "comment in front", S("(x) a@b"), "a@b" },
	{ "comments everywhere", S("(1)A(2)B(3)<(4)a(5)@(6)b(7).(8)c(9)>(10)"),
	    "a@b.c" },
	{ "nested comments", S("a@b (x (y (z)) \\) \\( w)"), "a@b" },
	{ "address in a comment", S("a@b (<x@y>, z@w)"), "a@b" },
	{ "quote in a comment", S("a@b (it's \" odd)"), "a@b" },
	{ "folded", S("A\r\n <a@b>,\r\n\tc@d"), "a@b c@d" },
	{ "folded in quotes", S("\"A\r\n B\" <a@b>"), "a@b" },
	{ "folded in a comment", S("a@b (x\r\n y)"), "a@b" },
	{ "line end behind", S("a@b\r\n"), "a@b" },
	{ "quoted local part", S("\"a b\"@c"), "\"a b\"@c" },
	{ "needlessly quoted local part", S("<\"a\"@c>"), "a@c" },
	{ "words of a local part", S("<\"a b\".c.\"d\"@e>"), "\"a b.c.d\"@e" },
	{ "blanks round dots and at", S("a . b @ c . d"), "a.b@c.d" },
	{ "folding inside a quoted local part", S("\"a\r\n b\"@c"),
	    "\"a b\"@c" },
	{ "at in a quoted local part", S("\"x@y\"@c"), "\"x@y\"@c" },
	{ "literal", S("a@[192.0.2.1]"), "a@[192.0.2.1]" },
	{ "literal in angles", S("A <a@[IPv6:2001:DB8::1]>"),
	    "a@[IPv6:2001:db8::1]" },
	{ "domain in capitals", S("A@EXAMPLE.ORG"), "A@example.org" },
	{ "empty group", S("Undisclosed recipients:;"), "" },
	{ "empty group with comment", S("U: (nobody) ;"), "" },
	{ "empty group with commas", S("U: , ;"), "" },
	{ "group", S("Team: a@b, C <c@d>;"), "a@b c@d" },
	{ "quoted group name", S("\"A: b\": c@d;"), "c@d" },
	{ "group among others", S("a@b, T: c@d;, e@f"), "a@b c@d e@f" },
	{ "two groups", S("T: a@b;, U: c@d;"), "a@b c@d" },

	{ "nothing", S(""), NULL },
	{ "blanks", S(" \t "), NULL },
	{ "comma", S(","), NULL },
	{ "comment only", S("(a@b)"), NULL },
	{ "name only", S("Alice"), NULL },
	{ "empty angles", S("<>"), NULL },
	{ "name and empty angles", S("Alice <>"), NULL },
	{ "no domain", S("alice@"), NULL },
	{ "no local part", S("@example.org"), NULL },
	{ "no local part in angles", S("<@example.org>"), NULL },
	{ "address as a name", S("x@y <a@b>"), NULL },
	{ "address behind the angles", S("<a@b> x@y"), NULL },
	{ "name behind the angles", S("<a@b> Alice"), NULL },
	{ "two pairs of angles", S("<a@b> <c@d>"), NULL },
	{ "two addresses without comma", S("a@b c@d"), NULL },
	{ "semicolon between", S("a@b; c@d"), NULL },
	{ "comma in a bare name", S("Example, Alice <a@b>"), NULL },
	{ "angles not closed", S("<a@b"), NULL },
	{ "angles closed twice", S("<a@b>>"), NULL },
	{ "angles opened twice", S("<<a@b>>"), NULL },
	{ "angle not opened", S("a@b>"), NULL },
	{ "two in angles", S("<a@b, c@d>"), NULL },
	{ "source route", S("<@x,@y:a@b>"), NULL },
	{ "two ats", S("a@b@c"), NULL },
	{ "quotes not closed", S("\"Alice <a@b>"), NULL },
	{ "comment not closed", S("a@b (x"), NULL },
	{ "comment closed twice", S("a@b (x))"), NULL },
	{ "comment not closed, quoted pair", S("a@b (x\\)"), NULL },
	{ "backslash at the end", S("\"a\\"), NULL },
	{ "literal not closed", S("a@[192.0.2.1"), NULL },
	{ "literal and label", S("a@[192.0.2.1].b"), NULL },
	{ "label and literal", S("a@b.[192.0.2.1]"), NULL },
	{ "not a literal", S("a@[b]"), NULL },
	{ "trailing dot", S("a@b."), NULL },
	{ "dot in front of the domain", S("a@.b"), NULL },
	{ "two dots in a domain", S("a@b..c"), NULL },
	{ "underscore in a domain", S("a@b_c"), NULL },
	{ "dot in front of a local part", S(".a@b"), NULL },
	{ "two dots in a local part", S("a..b@c"), NULL },
	{ "blank in a local part", S("a b@c"), NULL },
	{ "two quoted words as a local part", S("\"a\" \"b\"@c"), NULL },
	{ "empty quoted local part", S("\"\"@b"), NULL },
	{ "dot in front of a name", S(". Alice <a@b>"), NULL },
	{ "8-bit local part", S("\xfc@b"), NULL },
	{ "8-bit domain", S("a@\xfc.b"), NULL },
	{ "at in an encoded word", S("=?u?q?a,x@y,?= <a@b>"), NULL },
	{ "angles in an encoded word", S("=?u?q?,<x@y>,?= <a@b>"), NULL },
	{ "quote in an encoded word", S("=?u?q?\"?= <a@b>"), NULL },
	{ "encoded word with comma as a local part", S("=?u?q?a,b?=@c"), NULL },
	{ "encoded word as a local part", S("=?u?b?PGVAeD4=?=@c"), NULL },
	{ "encoded word as a tag", S("J <a+=?u?q?=3Ce=40x=3E?=@b>"), NULL },
	{ "encoded word as a quoted local part", S("<\"=?u?q?e?=\"@b>"), NULL },
	{ "question mark in a local part", S("<a=b?c=@b>"), "a=b?c=@b" },
	{ "encoded word with comma in a domain", S("a@=?u?q?a,b?="), NULL },
	{ "brackets in a name", S("Alice [x] <a@b>"), NULL },
	{ "group not closed", S("T: a@b"), NULL },
	{ "group closed twice", S("T: a@b;;"), NULL },
	{ "group in a group", S("T: U: a@b;;"), NULL },
	{ "group without a name", S(": a@b;"), NULL },
	{ "group and address without comma", S("T: a@b; c@d"), NULL },
	{ "semicolon only", S(";"), NULL },
	{ "NUL", S("a@b\0"), NULL },
	{ "NUL in quotes", S("\"a\0b\" <a@b>"), NULL },
	{ "NUL in a comment", S("(a\0b) a@b"), NULL },
	{ "NUL as an atom", S("\0 <a@b>"), NULL },
	{ "CR", S("A\r <a@b>"), NULL },
	{ "LF", S("A\n <a@b>"), NULL },
	{ "LF in quotes", S("\"A\n\" <a@b>"), NULL },
	{ "CRLF that is not folding", S("A\r\nB <a@b>"), NULL },
	{ "CRLF in quotes that is not folding", S("\"A\r\nB\" <a@b>"), NULL },
	{ "escaped CR in quotes", S("\"A\\\r\" <a@b>"), NULL },
	{ "control in quotes", S("\"A\x01\" <a@b>"), NULL },
	{ "control in a comment", S("a@b (\x7f)"), NULL },
	{ "local part of 64 in quotes", S("<" X50 X10 "xxxx@b>"),
	    X50 X10 "xxxx@b" },
	{ "local part of 65", S("<" X50 X10 "xxxxx@b>"), NULL },
	{ "local part of 64 that must be quoted", S("<\"" X50 X10 "xx \"@b>"),
	    NULL },
	{ "domain of 256", S("<a@" X50 "." X50 "." X50 "." X50 "." X50 ".x>"),
	    NULL },
};

static void
reads(void **state)
{
	const struct row *t = *state;
	struct address out[4];
	char text[4 * ADDRESS_MAX] = "", *in = exact(t->in, t->n);
	size_t count = 99, len = 0;
	bool ok = header_mailboxes(in, t->n, out, COUNT(out), &count);

	free(in);
	assert_int_equal(ok, t->out != NULL);
	if (!ok) {
		assert_int_equal(count, 99);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text[len++] = ' ';
		len += address_format(&out[i], text + len);
	}
	assert_string_equal(text, t->out);
}

static void
bounds_the_count(void **state)
{
	static const char in[] = "a@b, c@d, e@f";
	struct address out[3];
	size_t count;

	(void)state;
	assert_true(header_mailboxes(in, strlen(in), out, 3, &count));
	assert_int_equal(count, 3);
	assert_false(header_mailboxes(in, strlen(in), out, 2, &count));
	assert_false(header_mailboxes(in, strlen(in), NULL, 0, &count));
	assert_true(header_mailboxes(S("U:;"), NULL, 0, &count));
	assert_int_equal(count, 0);
}

/* Neither deep nor long lists may cost more than reading them. */
static void
takes_the_deep_and_the_long(void **state)
{
	static char in[8192];
	struct address out[1];
	size_t count;

	(void)state;
	memset(in, '(', sizeof(in));
	assert_false(header_mailboxes(in, sizeof(in), out, 1, &count));
	memset(in + sizeof(in) / 2, ')', sizeof(in) / 2);
	memcpy(in + sizeof(in) - 4, ")a@b", 4);
	in[0] = in[1] = ' ';
	assert_false(header_mailboxes(in, sizeof(in), out, 1, &count));
	in[2] = ' ';
	assert_true(header_mailboxes(in, sizeof(in), out, 1, &count));
	memset(in, ',', sizeof(in));
	assert_false(header_mailboxes(in, sizeof(in), out, 1, &count));
	for (size_t i = 0; i < sizeof(in); i += 2)
		memcpy(in + i, "=?", 2);
	assert_false(header_mailboxes(in, sizeof(in), out, 1, &count));
}

int
main(void)
{
	ADD_TABLE(rows, reads);
	add("no more than there is room for", bounds_the_count, NULL);
	add("deep and long", takes_the_deep_and_the_long, NULL);
	return run_cases("mail/mailboxes");
}
