/* One parser from text to pairs: what passes, and what it then means. */
#include "test_mail.h"

#include "mail/address.h"

#define X10  "xxxxxxxxxx"
#define X60  X10 X10 X10 X10 X10 X10
#define L63  X60 "xxx"
#define D250 L63 "." L63 "." L63 "." X10 X10 X10 X10 X10 "xxxxxxxx"

struct good {
	const char *name, *in;
	size_t n;
	const char *local, *domain, *text;
};

static const struct good good[] = {
	{ "plain", S("alice@example.org"), "alice", "example.org",
	    "alice@example.org" },
	{ "domain becomes lower case, local part does not",
	    S("Alice@EXAMPLE.Org"), "Alice", "example.org",
	    "Alice@example.org" },
	{ "one label", S("alice@localhost"), "alice", "localhost",
	    "alice@localhost" },
	{ "all of atext", S("a!#$%&'*+-/=?^_`{|}~9@b"), "a!#$%&'*+-/=?^_`{|}~9",
	    "b", "a!#$%&'*+-/=?^_`{|}~9@b" },
	{ "dots inside", S("a.b.c@d"), "a.b.c", "d", "a.b.c@d" },
	{ "needless quotes go", S("\"alice\"@example.org"), "alice",
	    "example.org", "alice@example.org" },
	{ "needless quotes round dots go", S("\"a.b\"@c"), "a.b", "c",
	    "a.b@c" },
	{ "needless backslashes go", S("\"\\a\\l\"@c"), "al", "c", "al@c" },
	{ "quoted space", S("\"a b\"@c"), "a b", "c", "\"a b\"@c" },
	{ "quoted dot in front", S("\".a\"@c"), ".a", "c", "\".a\"@c" },
	{ "quoted dots together", S("\"a..b\"@c"), "a..b", "c", "\"a..b\"@c" },
	{ "quoted dot behind", S("\"a.\"@c"), "a.", "c", "\"a.\"@c" },
	{ "quoted space alone", S("\" \"@c"), " ", "c", "\" \"@c" },
	{ "quoted at", S("\"a@b\"@c"), "a@b", "c", "\"a@b\"@c" },
	{ "quoted angle", S("\"a>b\"@c"), "a>b", "c", "\"a>b\"@c" },
	{ "quoted quote and backslash", S("\"\\\"\\\\\"@c"), "\"\\", "c",
	    "\"\\\"\\\\\"@c" },
	{ "percent hack is a local part", S("a%b@c"), "a%b", "c", "a%b@c" },
	{ "bang path is a local part", S("b!a@c"), "b!a", "c", "b!a@c" },
	{ "A-labels", S("a@xn--bcher-kva.example"), "a",
	    "xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	{ "label of 63", S("a@" L63), "a", L63, "a@" L63 },
	{ "local part of 64", S(X60 "xxxx@b"), X60 "xxxx", "b", X60 "xxxx@b" },
	{ "domain of 255", S("a@" D250 ".yyyy"), "a", D250 ".yyyy",
	    "a@" D250 ".yyyy" },
	{ "digits in all but the last label", S("a@1.2.3d"), "a", "1.2.3d",
	    "a@1.2.3d" },
	{ "IPv4 literal", S("a@[192.0.2.1]"), "a", "[192.0.2.1]",
	    "a@[192.0.2.1]" },
	{ "IPv6 literal", S("a@[IPv6:2001:DB8::1]"), "a", "[IPv6:2001:db8::1]",
	    "a@[IPv6:2001:db8::1]" },
	{ "IPv6 literal in its long form", S("a@[ipv6:2001:db8:0:0:0:0:0:1]"),
	    "a", "[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]" },
};

static void
parses(void **state)
{
	const struct good *g = *state;
	struct address a, again;
	char text[ADDRESS_MAX], *in = exact(g->in, g->n);

	memset(&a, 0x5a, sizeof(a));
	assert_true(address_parse(&a, in, g->n));
	free(in);
	assert_string_equal(a.local, g->local);
	assert_string_equal(a.domain, g->domain);
	assert_int_equal(address_format(&a, text), strlen(g->text));
	assert_string_equal(text, g->text);
	assert_true(address_parse(&again, text, strlen(text)));
	assert_memory_equal(&a, &again, sizeof(a));
	assert_true(address_valid(&a));
}

struct bad {
	const char *name, *in;
	size_t n;
};

static const struct bad bad[] = {
	{ "empty", S("") },
	{ "no at", S("alice") },
	{ "no local part", S("@example.org") },
	{ "no domain", S("alice@") },
	{ "empty quoted local part", S("\"\"@b") },
	{ "two ats", S("a@b@c") },
	{ "at in front", S("@a@b") },
	{ "source route", S("@a:b@c") },
	{ "in angles", S("<a@b>") },
	{ "space in front", S(" a@b") },
	{ "space behind", S("a@b ") },
	{ "space inside", S("a b@c") },
	{ "space before at", S("a @b") },
	{ "comment", S("a(x)@b") },
	{ "dot in front", S(".a@b") },
	{ "dot before at", S("a.@b") },
	{ "two dots", S("a..b@c") },
	{ "quoted part and more", S("\"a\"b@c") },
	{ "quoted part and dot", S("\"a\".b@c") },
	{ "open quote", S("\"a@b") },
	{ "backslash at the end", S("\"a\\") },
	{ "escaped closing quote", S("\"a\\\"@b") },
	{ "backslash outside quotes", S("a\\b@c") },
	{ "colon", S("a:b@c") },
	{ "comma", S("a,b@c") },
	{ "NUL in the local part", S("a\0b@c") },
	{ "NUL in quotes", S("\"a\0b\"@c") },
	{ "NUL in the domain", S("a@b\0c") },
	{ "NUL behind", S("a@b\0") },
	{ "CR in quotes", S("\"a\rb\"@c") },
	{ "escaped CR in quotes", S("\"a\\\rRCPT TO:<b\"@x") },
	{ "LF in quotes", S("\"a\nb\"@c") },
	{ "escaped NUL in quotes", S("\"a\\\0\"@c") },
	{ "TAB in quotes", S("\"a\tb\"@c") },
	{ "DEL in quotes", S("\"a\x7f\"@c") },
	{ "local part in Latin-1", S("\xfc@c") },
	{ "quoted in Latin-1", S("\"\xfc\"@c") },
	{ "domain in Latin-1", S("a@\xfc.example") },
	{ "backslash before 8-bit", S("\"\\\xc3\xbc\"@c") },
	{ "C1 control", S("a\xc2\x80@c") },
	{ "C1 control quoted", S("\"\xc2\x9f\"@c") },
	{ "UTF-8 cut short", S("\xc3@c") },
	{ "UTF-8 of 65", S(X60 "xxx\xc3\xbc@b") },
	{ "domain that IDNA forbids", S("a@\xe2\x98\x83.example") },
	{ "trailing dot", S("a@b.") },
	{ "dot in front of the domain", S("a@.b") },
	{ "empty label", S("a@b..c") },
	{ "hyphen in front", S("a@-b.c") },
	{ "hyphen behind", S("a@b-.c") },
	{ "hyphen at the end", S("a@b-") },
	{ "underscore", S("a@b_c.d") },
	{ "label of 64", S("a@" L63 "x") },
	{ "local part of 65", S(X60 "xxxxx@b") },
	{ "quotes count", S("\"" X60 " xx\"@b") },
	{ "domain of 256", S("a@" D250 ".yyyyy") },
	{ "bare IPv4 address", S("a@192.0.2.1") },
	{ "last label of digits", S("a@b.7") },
	{ "only digits", S("a@1234") },
	{ "literal with a name", S("a@[b.c]") },
	{ "literal not closed", S("a@[192.0.2.1") },
	{ "literal and more", S("a@[192.0.2.1]b") },
	{ "empty literal", S("a@[]") },
	{ "literal of three", S("a@[192.0.2]") },
	{ "literal over 255", S("a@[192.0.2.256]") },
	{ "literal with leading zero", S("a@[192.0.2.01]") },
	{ "literal with a space", S("a@[192.0.2.1 ]") },
	{ "literal with NUL", S("a@[192.0.2.1\0x]") },
	{ "IPv6 literal without its tag", S("a@[2001:db8::1]") },
	{ "IPv6 literal with a zone", S("a@[IPv6:fe80::1%eth0]") },
	{ "IPv6 literal that is short", S("a@[IPv6:1:2:3]") },
	{ "IPv6 tag alone", S("a@[IPv6:]") },
	{ "unknown tag", S("a@[X400:foo]") },
	{ "literal too long", S("a@[IPv6:" X60 "]") },
};

static void
refuses(void **state)
{
	const struct bad *b = *state;
	struct address a = { "kept", "kept" };
	char *in = exact(b->in, b->n);

	assert_false(address_parse(&a, in, b->n));
	free(in);
	assert_string_equal(a.local, "kept");
}

struct path {
	const char *name, *in;
	size_t n;
	bool postmaster;
	enum path_result result;
	size_t used;
	const char *local, *domain;
};

static const struct path paths[] = {
	{ "path", S("<a@b>"), 0, PATH_OK, 5, "a", "b" },
	{ "path and parameters", S("<a@b> SIZE=1"), 0, PATH_OK, 5, "a", "b" },
	{ "path and rubbish is for the caller", S("<a@b>x"), 0, PATH_OK, 5, "a",
	    "b" },
	{ "path behind a space", S(" <a@b>"), 0, PATH_OK, 6, "a", "b" },
	{ "path behind spaces", S("   <a@b>"), 0, PATH_OK, 8, "a", "b" },
	{ "path with quoted angle", S("<\"a>b\"@c> X"), 0, PATH_OK, 9, "a>b",
	    "c" },
	{ "path with literal", S("<a@[192.0.2.1]>"), 0, PATH_OK, 15, "a",
	    "[192.0.2.1]" },
	{ "null path", S("<>"), 0, PATH_NULL, 2, "", "" },
	{ "null path and parameters", S(" <> BODY=7BIT"), 0, PATH_NULL, 3, "",
	    "" },
	{ "postmaster", S("<Postmaster>"), 1, PATH_OK, 12, "postmaster", "" },
	{ "postmaster in capitals", S("<POSTMASTER> X"), 1, PATH_OK, 12,
	    "postmaster", "" },
	{ "postmaster not wanted", S("<Postmaster>"), 0, PATH_SYNTAX, 0, "",
	    "" },
	{ "other bare local part", S("<alice>"), 1, PATH_SYNTAX, 0, "", "" },
	{ "postmaster of a domain", S("<Postmaster@b>"), 1, PATH_OK, 14,
	    "Postmaster", "b" },
	{ "route", S("<@a,@b:c@d>"), 0, PATH_ROUTE, 0, "", "" },
	{ "route of one", S("<@a:c@d>"), 0, PATH_ROUTE, 0, "", "" },
	{ "local part too long", S("<" X60 "xxxxx@b>"), 0, PATH_TOO_LONG, 0, "",
	    "" },
	{ "domain too long", S("<a@" D250 ".yyyyy>"), 0, PATH_TOO_LONG, 0, "",
	    "" },
	{ "both too long", S("<" X60 "xxxxx@" D250 ".yyyyy>"), 0, PATH_TOO_LONG,
	    0, "", "" },
	{ "too long and malformed", S("<" X60 "xxxxx@b..c>"), 0, PATH_SYNTAX, 0,
	    "", "" },
	{ "too long and not closed", S("<" X60 "xxxxx@b"), 0, PATH_SYNTAX, 0,
	    "", "" },
	{ "nothing", S(""), 0, PATH_SYNTAX, 0, "", "" },
	{ "spaces only", S("  "), 0, PATH_SYNTAX, 0, "", "" },
	{ "no angles", S("a@b"), 0, PATH_SYNTAX, 0, "", "" },
	{ "not opened", S("a@b>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "not closed", S("<a@b"), 0, PATH_SYNTAX, 0, "", "" },
	{ "opened only", S("<"), 0, PATH_SYNTAX, 0, "", "" },
	{ "opened twice", S("<<a@b>>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "space inside", S("< a@b>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "space before close", S("<a@b >"), 0, PATH_SYNTAX, 0, "", "" },
	{ "space as null path", S("< >"), 0, PATH_SYNTAX, 0, "", "" },
	{ "tab in front", S("\t<a@b>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "display name", S("Alice <a@b>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "NUL in path", S("<a@b\0>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "NUL closes nothing", S("<\0>"), 0, PATH_SYNTAX, 0, "", "" },
	{ "command in quotes", S("<\"a\\\rRCPT TO:<b\"@x>"), 0, PATH_SYNTAX, 0,
	    "", "" },
};

static void
reads_path(void **state)
{
	const struct path *p = *state;
	char *in = exact(p->in, p->n);
	struct address a;
	size_t used = 0;

	memset(&a, 0x5a, sizeof(a));
	assert_int_equal(
	    address_path(&a, in, p->n, &used, p->postmaster), p->result);
	free(in);
	if (p->result != PATH_OK && p->result != PATH_NULL)
		return;
	assert_int_equal(used, p->used);
	assert_string_equal(a.local, p->local);
	assert_string_equal(a.domain, p->domain);
}

struct match {
	const char *name;
	struct address grant, used;
	bool matches;
};

static const struct match matches[] = {
	{ "itself", { "alice", "b" }, { "alice", "b" }, true },
	{ "its case", { "alice", "b" }, { "ALICE", "b" }, true },
	{ "the grant's case", { "Alice", "b" }, { "alice", "b" }, true },
	{ "its tag", { "alice", "b" }, { "alice+x", "b" }, true },
	{ "its tag and case", { "alice", "b" }, { "Alice+X", "b" }, true },
	{ "its tags", { "alice", "b" }, { "alice+x+y", "b" }, true },
	{ "an empty tag", { "alice", "b" }, { "alice+", "b" }, true },
	{ "a longer name", { "alice", "b" }, { "alicex", "b" }, false },
	{ "a shorter name", { "alice", "b" }, { "alic", "b" }, false },
	{ "another tag sign", { "alice", "b" }, { "alice-x", "b" }, false },
	{ "the untagged of a tag", { "alice+x", "b" }, { "alice", "b" },
	    false },
	{ "another tag", { "alice+x", "b" }, { "alice+y", "b" }, false },
	{ "a tag below a tag", { "alice+x", "b" }, { "alice+x+y", "b" }, true },
	{ "another domain", { "alice", "b" }, { "alice", "c" }, false },
	{ "a domain below", { "alice", "b.c" }, { "alice", "a.b.c" }, false },
	{ "any of the domain, by star", { "*", "b" }, { "bob", "b" }, true },
	{ "one letter of the domain", { "*", "b" }, { "x", "b" }, true },
	{ "any of the domain, by none", { "", "b" }, { "bob", "b" }, true },
	{ "star of another domain", { "*", "b" }, { "bob", "c" }, false },
	{ "a star is only one alone", { "a*", "b" }, { "ab", "b" }, false },
	{ "used star", { "alice", "b" }, { "*", "b" }, false },
	{ "the null path by a domain", { "", "b" }, { "", "b" }, false },
	{ "the null path by the null path", { "", "" }, { "", "" }, false },
	{ "postmaster without a domain", { "postmaster", "" },
	    { "postmaster", "" }, false },
	{ "any of no domain", { "*", "" }, { "bob", "" }, false },
	{ "tag of nothing", { "", "b" }, { "+x", "b" }, true },
};

static void
grants(void **state)
{
	const struct match *m = *state;

	assert_int_equal(address_matches(&m->grant, &m->used), m->matches);
}

static void
compares(void **state)
{
	struct address a = { "alice", "b" }, b = { "Alice", "b" },
		       c = { "alice", "c" }, d = { "alice", "b" };

	(void)state;
	assert_true(address_equal(&a, &d));
	assert_false(address_equal(&a, &b));
	assert_false(address_equal(&a, &c));
}

static void
formats_what_no_parser_made(void **state)
{
	struct address null = { "", "" }, pm = { "postmaster", "" }, a;
	char text[ADDRESS_MAX];

	(void)state;
	assert_int_equal(address_format(&null, text), 0);
	assert_string_equal(text, "");
	assert_int_equal(address_format(&pm, text), 10);
	assert_string_equal(text, "postmaster");
	/* 64 quotes would need 130 characters. */
	memset(&a, 0, sizeof(a));
	memset(a.local, '"', 64);
	memset(a.domain, 'd', 255);
	assert_int_equal(address_format(&a, text), 0);
	assert_string_equal(text, "");
	assert_false(address_valid(&a));
	/* Without any NUL. */
	memset(&a, 'x', sizeof(a));
	assert_false(address_valid(&a));
}

static void
validates_pairs(void **state)
{
	static const struct address no[] = { { "", "b" }, { "a", "" },
		{ "", "" }, { "a", "B" }, { "a", "b." }, { "a\n", "b" },
		{ "a", "b>" }, { "a", "[1.2.3]" }, { "\xfc", "b" },
		{ "a", "\xc3\xbc.b" } };

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(address_valid(&no[i]));
	assert_true(address_valid(&(struct address){ "a b", "c.d" }));
	assert_true(address_valid(&(struct address){ "\xc3\xbc", "b" }));
}

int
main(void)
{
	ADD_TABLE(good, parses);
	ADD_TABLE(bad, refuses);
	ADD_TABLE(paths, reads_path);
	ADD_TABLE(matches, grants);
	add("compares octet by octet", compares, NULL);
	add("formats the null path and the impossible",
	    formats_what_no_parser_made, NULL);
	add("validates pairs from outside", validates_pairs, NULL);
	return run_cases("mail/address");
}
