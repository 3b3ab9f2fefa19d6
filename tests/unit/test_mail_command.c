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
	{ "unknown without value", S("FROM:<a@b> SMTPUTF8"),
	    ARGS_UNKNOWN_PARAM },
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
	{ "body of another kind", S("FROM:<a@b> BODY=BINARYMIME"),
	    ARGS_BAD_PARAM },
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
	{ "to with a parameter", S("TO:<a@b> NOTIFY=NEVER"), ARGS_UNKNOWN_PARAM,
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

	assert_int_equal(command_rcpt(&args, in, t->n), t->result);
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
	{ "hello 8-bit", S("\xff"), false },
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

int
main(void)
{
	ADD_TABLE(mails, reads_mail);
	ADD_TABLE(refused, refuses_mail);
	ADD_TABLE(rcpts, reads_rcpt);
	ADD_TABLE(hellos, greets);
	return run_cases("mail/command");
}
