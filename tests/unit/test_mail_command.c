/* The arguments of MAIL, RCPT and EHLO. */
#include "test_mail.h"

#include "mail/command.h"

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define L63 X50 X10 "xxx"

struct mail {
	const char *name, *in;
	size_t n;
	const char *from; /* canonical; "" is null */
	bool has_size;
	uint64_t size;
	enum body body;
	const char *auth;
};

static const struct mail mails[] = {
	{ "plain", S("FROM:<a@b>"), "a@b", 0, 0, BODY_7BIT, "" },
	{ "null", S("FROM:<>"), "", 0, 0, BODY_7BIT, "" },
	{ "null with parameters", S("FROM:<> SIZE=7"), "", 1, 7, BODY_7BIT,
	    "" },
	{ "lower case", S("from:<a@b>"), "a@b", 0, 0, BODY_7BIT, "" },
	{ "space behind the colon", S("FROM: <a@b>"), "a@b", 0, 0, BODY_7BIT,
	    "" },
	{ "space in front", S(" FROM:<a@b>"), "a@b", 0, 0, BODY_7BIT, "" },
	{ "spaces behind", S("FROM:<a@b>   "), "a@b", 0, 0, BODY_7BIT, "" },
	{ "all parameters", S("FROM:<a@b> SIZE=12345 BODY=8BITMIME AUTH=<>"),
	    "a@b", 1, 12345, BODY_8BITMIME, "<>" },
	{ "another order and case", S("FROM:<a@b> auth=<> body=7bit size=0"),
	    "a@b", 1, 0, BODY_7BIT, "<>" },
	{ "several spaces", S("FROM:<a@b>  SIZE=1   BODY=8bitmime"), "a@b", 1,
	    1, BODY_8BITMIME, "" },
	{ "largest size", S("FROM:<a@b> SIZE=18446744073709551615"), "a@b", 1,
	    UINT64_MAX, BODY_7BIT, "" },
	{ "size over 64 bits", S("FROM:<a@b> SIZE=18446744073709551616"), "a@b",
	    1, UINT64_MAX, BODY_7BIT, "" },
	{ "size of twenty nines", S("FROM:<a@b> SIZE=99999999999999999999"),
	    "a@b", 1, UINT64_MAX, BODY_7BIT, "" },
	{ "size with leading zeros", S("FROM:<a@b> SIZE=00000000000000000012"),
	    "a@b", 1, 12, BODY_7BIT, "" },
	{ "auth is xtext", S("FROM:<a@b> AUTH=e+3Dmc2@example.com"), "a@b", 0,
	    0, BODY_7BIT, "e=mc2@example.com" },
	{ "auth with a plus", S("FROM:<a@b> AUTH=a+2Bb"), "a@b", 0, 0,
	    BODY_7BIT, "a+b" },
	{ "auth of 320", S("FROM:<a@b> AUTH=" X50 X50 X50 X50 X50 X50 X10 X10),
	    "a@b", 0, 0, BODY_7BIT, X50 X50 X50 X50 X50 X50 X10 X10 },
};

static void
reads_mail(void **state)
{
	const struct mail *t = *state;
	char text[ADDRESS_MAX], *in = exact(t->in, t->n);
	struct mail_args args;

	memset(&args, 0x5a, sizeof(args));
	assert_int_equal(command_mail(&args, in, t->n), ARGS_OK);
	free(in);
	address_format(&args.from, text);
	assert_string_equal(text, t->from);
	assert_int_equal(args.null, t->from[0] == '\0');
	assert_int_equal(args.has_size, t->has_size);
	if (t->has_size)
		assert_true(args.size == t->size);
	assert_int_equal(args.body, t->body);
	assert_string_equal(args.auth, t->auth);
}

struct refused {
	const char *name, *in;
	size_t n;
	enum args_result result;
};

static const struct refused refused[] = {
	{ "unknown parameter", S("FROM:<a@b> FOO=1"), ARGS_UNKNOWN_PARAM },
	{ "unknown without value", S("FROM:<a@b> FOO"), ARGS_UNKNOWN_PARAM },
	{ "unknown with empty value", S("FROM:<a@b> FOO="),
	    ARGS_UNKNOWN_PARAM },
	{ "known one behind unknown", S("FROM:<a@b> FOO SIZE=x"),
	    ARGS_UNKNOWN_PARAM },
	{ "prefix of a known one", S("FROM:<a@b> SIZ=1"), ARGS_UNKNOWN_PARAM },
	{ "longer than a known one", S("FROM:<a@b> SIZES=1"),
	    ARGS_UNKNOWN_PARAM },
	{ "not known here", S("FROM:<a@b> NOTIFY=NEVER"), ARGS_UNKNOWN_PARAM },
	{ "size without value", S("FROM:<a@b> SIZE"), ARGS_BAD_PARAM },
	{ "size with empty value", S("FROM:<a@b> SIZE="), ARGS_BAD_PARAM },
	{ "negative size", S("FROM:<a@b> SIZE=-1"), ARGS_BAD_PARAM },
	{ "size with sign", S("FROM:<a@b> SIZE=+1"), ARGS_BAD_PARAM },
	{ "hexadecimal size", S("FROM:<a@b> SIZE=0x10"), ARGS_BAD_PARAM },
	{ "size of 21 digits", S("FROM:<a@b> SIZE=000000000000000000001"),
	    ARGS_BAD_PARAM },
	{ "body without value", S("FROM:<a@b> BODY"), ARGS_BAD_PARAM },
	{ "body of another kind", S("FROM:<a@b> BODY=QUOTED"), ARGS_BAD_PARAM },
	{ "smtputf8 with a value", S("FROM:<a@b> SMTPUTF8=1"), ARGS_BAD_PARAM },
	{ "smtputf8 with an empty one", S("FROM:<a@b> SMTPUTF8="),
	    ARGS_BAD_PARAM },
	{ "requiretls with a value", S("FROM:<a@b> REQUIRETLS=x"),
	    ARGS_BAD_PARAM },
	{ "ret without value", S("FROM:<a@b> RET"), ARGS_BAD_PARAM },
	{ "ret of something else", S("FROM:<a@b> RET=SOME"), ARGS_BAD_PARAM },
	{ "envid empty", S("FROM:<a@b> ENVID="), ARGS_BAD_PARAM },
	{ "envid of 101", S("FROM:<a@b> ENVID=" X50 X50 "x"), ARGS_BAD_PARAM },
	{ "envid with CR in it", S("FROM:<a@b> ENVID=a+0Db"), ARGS_BAD_PARAM },
	{ "envid with NUL in it", S("FROM:<a@b> ENVID=a+00b"), ARGS_BAD_PARAM },
	{ "envid with 8-bit in it", S("FROM:<a@b> ENVID=\xc3\xbc"),
	    ARGS_BAD_PARAM },
	{ "hold for nothing", S("FROM:<a@b> HOLDFOR="), ARGS_BAD_PARAM },
	{ "hold for less", S("FROM:<a@b> HOLDFOR=-1"), ARGS_BAD_PARAM },
	{ "hold for ten digits", S("FROM:<a@b> HOLDFOR=1234567890"),
	    ARGS_BAD_PARAM },
	{ "hold until a number", S("FROM:<a@b> HOLDUNTIL=1795291200"),
	    ARGS_BAD_PARAM },
	{ "hold for and until",
	    S("FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-11-21T20:00:00Z"),
	    ARGS_BAD_PARAM },
	{ "hold until and for",
	    S("FROM:<a@b> HOLDUNTIL=2026-11-21T20:00:00Z HOLDFOR=1"),
	    ARGS_BAD_PARAM },
	{ "by without mode", S("FROM:<a@b> BY=10"), ARGS_BAD_PARAM },
	{ "by without time", S("FROM:<a@b> BY=;R"), ARGS_BAD_PARAM },
	{ "by of two signs", S("FROM:<a@b> BY=+-1;N"), ARGS_BAD_PARAM },
	{ "by with another mode", S("FROM:<a@b> BY=10;X"), ARGS_BAD_PARAM },
	{ "by with trace only", S("FROM:<a@b> BY=10;T"), ARGS_BAD_PARAM },
	{ "by of ten digits", S("FROM:<a@b> BY=1234567890;N"), ARGS_BAD_PARAM },
	{ "return by now", S("FROM:<a@b> BY=0;R"), ARGS_BAD_PARAM },
	{ "return by before", S("FROM:<a@b> BY=-10;R"), ARGS_BAD_PARAM },
	{ "priority of ten", S("FROM:<a@b> MT-PRIORITY=10"), ARGS_BAD_PARAM },
	{ "priority of a sign", S("FROM:<a@b> MT-PRIORITY=-"), ARGS_BAD_PARAM },
	{ "priority of a letter", S("FROM:<a@b> MT-PRIORITY=a"),
	    ARGS_BAD_PARAM },
	{ "8-bit address without smtputf8", S("FROM:<\xc3\xbc@b>"),
	    ARGS_NEEDS_UTF8 },
	{ "8-bit domain without smtputf8", S("FROM:<a@b\xc3\xbc.example>"),
	    ARGS_NEEDS_UTF8 },
	{ "address that is no UTF-8", S("FROM:<\xfc@b> SMTPUTF8"),
	    ARGS_SYNTAX },
	{ "address with a C1 control", S("FROM:<a\xc2\x85@b> SMTPUTF8"),
	    ARGS_SYNTAX },
	{ "value that is no UTF-8", S("FROM:<a@b> SMTPUTF8 ENVID=\xfc"),
	    ARGS_SYNTAX },
	{ "body cut short", S("FROM:<a@b> BODY=8BIT"), ARGS_BAD_PARAM },
	{ "auth without value", S("FROM:<a@b> AUTH"), ARGS_BAD_PARAM },
	{ "auth with empty value", S("FROM:<a@b> AUTH="), ARGS_BAD_PARAM },
	{ "auth cut short", S("FROM:<a@b> AUTH=a+4"), ARGS_BAD_PARAM },
	{ "auth with lower-case hex", S("FROM:<a@b> AUTH=a+3d"),
	    ARGS_BAD_PARAM },
	{ "auth without hex", S("FROM:<a@b> AUTH=a+zz"), ARGS_BAD_PARAM },
	{ "auth with CRLF in it", S("FROM:<a@b> AUTH=a+0D+0Ab"),
	    ARGS_BAD_PARAM },
	{ "auth with NUL in it", S("FROM:<a@b> AUTH=a+00b"), ARGS_BAD_PARAM },
	{ "auth with 8-bit in it", S("FROM:<a@b> AUTH=a+FFb"), ARGS_BAD_PARAM },
	{ "auth of 321",
	    S("FROM:<a@b> AUTH=" X50 X50 X50 X50 X50 X50 X10 X10 "x"),
	    ARGS_BAD_PARAM },
	{ "size twice", S("FROM:<a@b> SIZE=1 SIZE=1"), ARGS_DUPLICATE_PARAM },
	{ "size twice in two cases", S("FROM:<a@b> SIZE=1 BODY=7BIT size=2"),
	    ARGS_DUPLICATE_PARAM },
	{ "nothing", S(""), ARGS_SYNTAX },
	{ "no path", S("FROM:"), ARGS_SYNTAX },
	{ "path only", S("<a@b>"), ARGS_SYNTAX },
	{ "path only, longer", S("<alice@example.org>"), ARGS_SYNTAX },
	{ "no colon", S("FROM<a@b>"), ARGS_SYNTAX },
	{ "space before the colon", S("FROM :<a@b>"), ARGS_SYNTAX },
	{ "TO", S("TO:<a@b>"), ARGS_SYNTAX },
	{ "cut short", S("FRO"), ARGS_SYNTAX },
	{ "no angles", S("FROM:a@b"), ARGS_SYNTAX },
	{ "no space before parameter", S("FROM:<a@b>SIZE=1"), ARGS_SYNTAX },
	{ "tab before parameter", S("FROM:<a@b>\tSIZE=1"), ARGS_SYNTAX },
	{ "comma before parameter", S("FROM:<a@b>,<c@d>"), ARGS_SYNTAX },
	{ "parameter without keyword", S("FROM:<a@b> =1"), ARGS_SYNTAX },
	{ "keyword with hyphen in front", S("FROM:<a@b> -A=1"), ARGS_SYNTAX },
	{ "keyword with a dot", S("FROM:<a@b> A.B=1"), ARGS_SYNTAX },
	{ "value with an equals sign", S("FROM:<a@b> SIZE=1=1"), ARGS_SYNTAX },
	{ "value with NUL", S("FROM:<a@b> SIZE=1\0"), ARGS_SYNTAX },
	{ "value with 8-bit", S("FROM:<a@b> FOO=\xff"), ARGS_SYNTAX },
	{ "value with CR", S("FROM:<a@b> FOO=\r"), ARGS_SYNTAX },
	{ "route", S("FROM:<@a:b@c>"), ARGS_ROUTE },
	{ "too long", S("FROM:<" L63 "xx@b>"), ARGS_TOO_LONG },
	{ "postmaster has no domain", S("FROM:<Postmaster>"), ARGS_SYNTAX },
};

static void
refuses_mail(void **state)
{
	const struct refused *t = *state;
	char *in = exact(t->in, t->n);
	struct mail_args args;

	assert_int_equal(command_mail(&args, in, t->n), t->result);
	free(in);
}

struct rcpt {
	const char *name, *in;
	size_t n;
	enum args_result result;
	const char *to;
};

static const struct rcpt rcpts[] = {
	{ "to", S("TO:<a@b>"), ARGS_OK, "a@b" },
	{ "to, spaces", S("to: <a@B>  "), ARGS_OK, "a@b" },
	{ "to postmaster", S("TO:<postMaster>"), ARGS_OK, "postmaster" },
	{ "to quoted", S("TO:<\"a b\"@c>"), ARGS_OK, "\"a b\"@c" },
	{ "to nobody", S("TO:<>"), ARGS_SYNTAX, NULL },
	{ "to somebody else's route", S("TO:<@a:b@c>"), ARGS_ROUTE, NULL },
	{ "to too long", S("TO:<" L63 "xx@b>"), ARGS_TOO_LONG, NULL },
	{ "to with a parameter", S("TO:<a@b> RRVS=x"), ARGS_UNKNOWN_PARAM,
	    NULL },
	{ "to with MAIL's parameter", S("TO:<a@b> SIZE=1"), ARGS_UNKNOWN_PARAM,
	    NULL },
	{ "to two", S("TO:<a@b><c@d>"), ARGS_SYNTAX, NULL },
	{ "from", S("FROM:<a@b>"), ARGS_SYNTAX, NULL },
	{ "to, path only", S("<a@b>"), ARGS_SYNTAX, NULL },
	{ "to, command behind NUL", S("TO:<a@b>\0x"), ARGS_SYNTAX, NULL },
};

static void
reads_rcpt(void **state)
{
	const struct rcpt *t = *state;
	char text[ADDRESS_MAX], *in = exact(t->in, t->n);
	struct rcpt_args args;

	assert_int_equal(command_rcpt(&args, in, t->n, false), t->result);
	free(in);
	if (t->result != ARGS_OK)
		return;
	address_format(&args.to, text);
	assert_string_equal(text, t->to);
}

struct hello {
	const char *name, *in;
	size_t n;
	bool ok;
};

static const struct hello hellos[] = {
	{ "hello domain", S("mail.example.org"), true },
	{ "hello bare name", S("laptop"), true },
	{ "hello PC name", S("MY_PC"), true },
	{ "hello trailing dot", S("example.org."), true },
	{ "hello bare address", S("192.168.1.5"), true },
	{ "hello IPv4 literal", S("[192.168.1.5]"), true },
	{ "hello IPv6 literal", S("[IPv6:2001:db8::1]"), true },
	{ "hello IPv6 literal without tag", S("[fe80::1%en0]"), true },
	{ "hello guesser", S("we-guess.mozilla.org"), true },
	{ "hello nothing", S(""), false },
	{ "hello space", S("a b"), false },
	{ "hello NUL", S("a\0b"), false },
	{ "hello CR", S("a\r"), false },
	{ "hello 8-bit", S("B\xdcRO-PC"), true },
	{ "hello UTF-8", S("b\xc3\xbcro.local"), true },
	{ "hello apostrophe", S("Bob's-Mac.local"), true },
	{ "hello bare IPv6", S("fe80::1"), true },
	{ "hello dots", S(".-."), false },
	{ "hello address", S("a@b"), false },
	{ "hello DEL", S("a\x7f"), false },
	{ "hello angle", S("<a>"), false },
	{ "hello quote", S("\"a\""), false },
	{ "hello empty literal", S("[]"), false },
	{ "hello open literal", S("[1.2.3.4"), false },
	{ "hello literal with space", S("[1.2.3.4 ]"), false },
	{ "hello literal with NUL", S("[1.2\0]"), false },
	{ "hello literal in literal", S("[[1.2.3.4]]"), false },
	{ "hello bracket", S("["), false },
	{ "hello of 255", S(L63 "." L63 "." L63 "." L63), true },
	{ "hello of 256", S(L63 "." L63 "." L63 "." L63 "."), false },
	{ "hello literal of 256", S("[" X50 X50 X50 X50 X50 "xxxx]"), false },
};

static void
greets(void **state)
{
	const struct hello *t = *state;
	char *in = exact(t->in, t->n);

	assert_int_equal(command_hello(in, t->n), t->ok);
	free(in);
}

/* Everything that a client may say of a message. */
static void
reads_options(void **state)
{
	static const char all[] = "FROM:<\xc3\xbc@b\xc3\xbc.example> SMTPUTF8 "
				  "RET=hdrs ENVID=QQ+3D314159 REQUIRETLS "
				  "MT-PRIORITY=-3 BY=-120;NT HOLDFOR=600 "
				  "BODY=BINARYMIME";
	struct mail_args m;
	char text[ADDRESS_MAX];

	(void)state;
	assert_int_equal(command_mail(&m, all, strlen(all)), ARGS_OK);
	address_format(&m.from, text);
	assert_string_equal(text, "\xc3\xbc@xn--b-eha.example");
	assert_true(m.smtputf8 && m.requiretls && m.has_priority && m.holds);
	assert_int_equal(m.ret, RET_HDRS);
	assert_string_equal(m.envid, "QQ=314159");
	assert_int_equal(m.priority, -3);
	assert_int_equal(m.by, BY_NOTIFY);
	assert_true(m.by_trace);
	assert_int_equal(m.by_s, -120);
	assert_int_equal(m.hold_for_s, 600);
	assert_int_equal(m.body, BODY_BINARYMIME);
	assert_int_equal(command_mail(&m,
			     S("FROM:<a@b> BY=+123456789;R MT-PRIORITY=+9 "
			       "HOLDUNTIL=2026-11-21T21:00:00+01:00 RET=FULL")),
	    ARGS_OK);
	assert_int_equal(m.by, BY_RETURN);
	assert_false(m.by_trace);
	assert_int_equal(m.by_s, 123456789);
	assert_int_equal(m.priority, 9);
	assert_true(m.hold_until_s == 1795291200 && m.hold_for_s == 0);
	assert_int_equal(m.ret, RET_FULL);
}

struct option {
	const char *name, *in;
	size_t n;
	bool smtputf8;
	enum args_result result;
	unsigned notify;
	const char *orcpt;
};

static const struct option options[] = {
	{ "notify never", S("TO:<a@b> NOTIFY=NEVER"), 0, ARGS_OK, ON_NEVER,
	    "" },
	{ "notify all", S("TO:<a@b> NOTIFY=Success,failure,DELAY"), 0, ARGS_OK,
	    ON_SUCCESS | ON_FAILURE | ON_DELAY, "" },
	{ "notify never and more", S("TO:<a@b> NOTIFY=NEVER,DELAY"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "notify nothing", S("TO:<a@b> NOTIFY="), 0, ARGS_BAD_PARAM, 0, "" },
	{ "notify and a comma", S("TO:<a@b> NOTIFY=DELAY,"), 0, ARGS_BAD_PARAM,
	    0, "" },
	{ "notify something else", S("TO:<a@b> NOTIFY=ALWAYS"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt", S("TO:<a@b> ORCPT=rfc822;a+2Bx@b"), 0, ARGS_OK, 0,
	    "rfc822;a+x@b" },
	{ "orcpt of 500",
	    S("TO:<a@b> ORCPT=rfc822;" X50 X50 X50 X50 X50 X50 X50 X50 X50 X10
		    X10 X10 X10 "xxx"),
	    0, ARGS_OK, 0,
	    "rfc822;" X50 X50 X50 X50 X50 X50 X50 X50 X50 X10 X10 X10 X10
	    "xxx" },
	{ "orcpt of 501",
	    S("TO:<a@b> ORCPT=rfc822;" X50 X50 X50 X50 X50 X50 X50 X50 X50 X10
		    X10 X10 X10 "xxxx"),
	    0, ARGS_BAD_PARAM, 0, "" },
	{ "orcpt without type", S("TO:<a@b> ORCPT=;a@b"), 0, ARGS_BAD_PARAM, 0,
	    "" },
	{ "orcpt without address", S("TO:<a@b> ORCPT=rfc822;"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt without semicolon", S("TO:<a@b> ORCPT=rfc822"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt of an odd type", S("TO:<a@b> ORCPT=a:b;a@b"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt with LF", S("TO:<a@b> ORCPT=rfc822;a+0Ab"), 0, ARGS_BAD_PARAM,
	    0, "" },
	{ "orcpt with lower-case hex", S("TO:<a@b> ORCPT=rfc822;a+3d"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt in embedded UTF-8",
	    S("TO:<a@b> ORCPT=utf-8;\\x{FC}\\x{20AC}\\x{1F600}\\x{5C}@b"), 0,
	    ARGS_OK, 0, "utf-8;\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\\@b" },
	{ "orcpt in UTF-8", S("TO:<a@b> ORCPT=utf-8;\xc3\xbc@b"), 1, ARGS_OK, 0,
	    "utf-8;\xc3\xbc@b" },
	{ "orcpt in UTF-8 without leave", S("TO:<a@b> ORCPT=utf-8;\xc3\xbc@b"),
	    0, ARGS_NEEDS_UTF8, 0, "" },
	{ "orcpt with an embedded LF", S("TO:<a@b> ORCPT=utf-8;a\\x{0A}b"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt with an embedded C1", S("TO:<a@b> ORCPT=utf-8;a\\x{85}b"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt with a surrogate", S("TO:<a@b> ORCPT=utf-8;\\x{D800}"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt over Unicode", S("TO:<a@b> ORCPT=utf-8;\\x{110000}"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt not closed", S("TO:<a@b> ORCPT=utf-8;\\x{FC"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "orcpt with a lone backslash", S("TO:<a@b> ORCPT=utf-8;a\\"), 0,
	    ARGS_BAD_PARAM, 0, "" },
	{ "notify twice", S("TO:<a@b> NOTIFY=DELAY NOTIFY=NEVER"), 0,
	    ARGS_DUPLICATE_PARAM, 0, "" },
	{ "8-bit recipient", S("TO:<\xc3\xbc@b>"), 1, ARGS_OK, 0, "" },
	{ "8-bit recipient without leave", S("TO:<\xc3\xbc@b>"), 0,
	    ARGS_NEEDS_UTF8, 0, "" },
};

static void
reads_rcpt_options(void **state)
{
	const struct option *t = *state;
	char *in = exact(t->in, t->n);
	struct rcpt_args args;

	assert_int_equal(command_rcpt(&args, in, t->n, t->smtputf8), t->result);
	free(in);
	if (t->result != ARGS_OK)
		return;
	assert_int_equal(args.notify, t->notify);
	assert_string_equal(args.orcpt, t->orcpt);
}

struct bdat {
	const char *name, *in;
	size_t n;
	bool ok, sized, last;
	uint64_t size;
};

static const struct bdat bdats[] = {
	{ "bdat", S("1000"), 1, 1, 0, 1000 },
	{ "bdat last", S("1000 last"), 1, 1, 1, 1000 },
	{ "bdat of nothing", S("0 LAST"), 1, 1, 1, 0 },
	{ "bdat and spaces", S("7   LAST"), 1, 1, 1, 7 },
	{ "bdat over 64 bits", S("18446744073709551616"), 1, 1, 0, UINT64_MAX },
	{ "bdat and something else", S("7 FIRST"), 0, 1, 1, 7 },
	{ "bdat without size", S(""), 0, 0, 0, 0 },
	{ "bdat last only", S("LAST"), 0, 0, 0, 0 },
	{ "bdat of less", S("-1"), 0, 0, 0, 0 },
	{ "bdat of more", S("+1"), 0, 0, 0, 0 },
	{ "bdat in hex", S("0x10"), 0, 0, 0, 0 },
	{ "bdat with NUL", S("1\0"), 0, 0, 0, 0 },
};

static void
reads_bdat(void **state)
{
	const struct bdat *t = *state;
	char *in = exact(t->in, t->n);
	struct bdat_args args;

	assert_int_equal(command_bdat(&args, in, t->n), t->ok);
	free(in);
	assert_int_equal(args.sized, t->sized);
	assert_true(args.size == t->size);
	if (t->ok)
		assert_int_equal(args.last, t->last);
}

int
main(void)
{
	add("all that MAIL can say", reads_options, NULL);
	ADD_TABLE(options, reads_rcpt_options);
	ADD_TABLE(bdats, reads_bdat);

	ADD_TABLE(mails, reads_mail);
	ADD_TABLE(refused, refuses_mail);
	ADD_TABLE(rcpts, reads_rcpt);
	ADD_TABLE(hellos, greets);
	return run_cases("mail/command");
}
