/* Content-Type and Content-Transfer-Encoding. */
#include "test_mail.h"

#include "mail/mime.h"

struct row {
	const char *name, *in;
	size_t n;
	const char *type, *subtype, *boundary; /* type NULL: malformed */
};

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static const struct row rows[] = {
	{ "plain", S("text/plain"), "text", "plain", "" },
	{ "blank in front", S(" text/plain"), "text", "plain", "" },
	{ "capitals", S("TEXT/Plain"), "text", "plain", "" },
	{ "with a charset", S("text/plain; charset=utf-8"), "text", "plain",
	    "" },
	{ "with a quoted charset", S("text/plain; charset=\"utf-8\""), "text",
	    "plain", "" },
	{ "with comments",
	    S("(a) text (b) / (c) plain (d) ; (e) charset (f) = (g) x (h)"),
	    "text", "plain", "" },
	{ "with dots and plus", S("application/vnd.x-y+json"), "application",
	    "vnd.x-y+json", "" },
	{ "multipart", S("multipart/mixed; boundary=abc"), "multipart", "mixed",
	    "abc" },
	{ "quoted boundary", S("multipart/mixed; boundary=\"a b:c=d\""),
	    "multipart", "mixed", "a b:c=d" },
	{ "boundary keeps its case", S("multipart/mixed; Boundary=AbC"),
	    "multipart", "mixed", "AbC" },
	{ "boundary with a quoted pair", S("multipart/x; boundary=\"a\\b\""),
	    "multipart", "x", "ab" },
	{ "boundary with equals signs",
	    S("multipart/x; boundary=----=_Part_1.2; charset=x"), "multipart",
	    "x", "----=_Part_1.2" },
	{ "folded", S("multipart/x;\r\n\tboundary=\"a\";\r\n type=\"b\""),
	    "multipart", "x", "a" },
	{ "folded boundary", S("multipart/x; boundary=\"a\r\n b\""),
	    "multipart", "x", "a b" },
	{ "boundary among others",
	    S("multipart/x; a=b; boundary=c; d=\"boundary=e\""), "multipart",
	    "x", "c" },
	{ "not the boundary", S("multipart/x; xboundary=c; boundaryx=d"),
	    "multipart", "x", "" },
	{ "boundary in a comment", S("multipart/x; (boundary=a) b=c"),
	    "multipart", "x", "" },
	{ "semicolon behind", S("text/plain;"), "text", "plain", "" },
	{ "semicolons", S("text/plain; ; charset=x;;"), "text", "plain", "" },
	{ "empty value", S("text/plain; name="), "text", "plain", "" },
	{ "8-bit in a quoted value", S("text/plain; name=\"\xc3\xbc\""), "text",
	    "plain", "" },
	{ "boundary of 70", S("multipart/x; boundary=" X70), "multipart", "x",
	    X70 },
	{ "nothing", S(""), NULL, NULL, NULL },
	{ "type only", S("text"), NULL, NULL, NULL },
	{ "no subtype", S("text/"), NULL, NULL, NULL },
	{ "no type", S("/plain"), NULL, NULL, NULL },
	{ "three", S("text/plain/x"), NULL, NULL, NULL },
	{ "something behind", S("text/plain x"), NULL, NULL, NULL },
	{ "comma", S("text/plain, charset=x"), NULL, NULL, NULL },
	{ "attribute only", S("text/plain; charset"), NULL, NULL, NULL },
	{ "boundary that begins with a tab", S("multipart/x; boundary=\"\tb\""),
	    NULL, NULL, NULL },
	{ "quote of another not closed", S("text/plain; charset=\"a"), NULL,
	    NULL, NULL },
	{ "comment in front not closed", S("(x text/plain"), NULL, NULL, NULL },
	{ "quote not closed", S("multipart/x; boundary=\"a"), NULL, NULL,
	    NULL },
	{ "quote within a value", S("multipart/x; boundary=a\"b\""), NULL, NULL,
	    NULL },
	{ "comment not closed", S("text/plain (x"), NULL, NULL, NULL },
	{ "two boundaries", S("multipart/x; boundary=a; boundary=a"), NULL,
	    NULL, NULL },
	{ "empty boundary", S("multipart/x; boundary=\"\""), NULL, NULL, NULL },
	{ "no boundary value", S("multipart/x; boundary="), NULL, NULL, NULL },
	{ "boundary of 71", S("multipart/x; boundary=" X70 "x"), NULL, NULL,
	    NULL },
	{ "boundary that ends in a space", S("multipart/x; boundary=\"a \""),
	    NULL, NULL, NULL },
	{ "boundary with 8-bit", S("multipart/x; boundary=\"\xc3\xbc\""), NULL,
	    NULL, NULL },
	{ "boundary with a tab", S("multipart/x; boundary=\"a\tb\""), NULL,
	    NULL, NULL },
	{ "NUL", S("text/plain\0"), NULL, NULL, NULL },
	{ "LF", S("text/plain;\ncharset=x"), NULL, NULL, NULL },
	{ "type of 64", S(X10 X10 X10 X10 X10 X10 "xxxx/x"), NULL, NULL, NULL },
};

static void
reads(void **state)
{
	const struct row *t = *state;
	char *in = exact(t->in, t->n);
	struct mime_type m;
	bool ok;

	memset(&m, 0x5a, sizeof(m));
	ok = mime_type(&m, in, t->n);
	free(in);
	assert_int_equal(ok, t->type != NULL);
	if (!ok)
		return;
	assert_string_equal(m.type, t->type);
	assert_string_equal(m.subtype, t->subtype);
	assert_string_equal(m.boundary, t->boundary);
}

static void
encodings(void **state)
{
	static const struct {
		const char *in;
		enum mime_encoding e;
	} t[] = {
		{ "7bit", MIME_7BIT },
		{ " 8BIT ", MIME_8BIT },
		{ "Binary", MIME_BINARY },
		{ "quoted-printable", MIME_QUOTED_PRINTABLE },
		{ "base64", MIME_BASE64 },
		{ "(x) base64 (y)", MIME_BASE64 },
		{ "", MIME_OTHER },
		{ "8 bit", MIME_OTHER },
		{ "8bits", MIME_OTHER },
		{ "x-uuencode", MIME_OTHER },
		{ "7bit; x", MIME_OTHER },
		{ "7bit (", MIME_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(
		    mime_encoding(t[i].in, strlen(t[i].in)), t[i].e);
}

int
main(void)
{
	ADD_TABLE(rows, reads);
	add("transfer encodings", encodings, NULL);
	return run_cases("mail/mime");
}
