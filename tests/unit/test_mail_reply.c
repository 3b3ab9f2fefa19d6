/* Replies of other servers: what is one, where it ends, what is kept. */
#include "test_mail.h"

#include "mail/reply.h"

struct row {
	const char *name, *in;
	size_t n;
	size_t left; /* bytes behind the reply; NONE when it goes on */
	int code;
	const char *status, *text, *each; /* lines with "|" behind each */
};

#define NONE SIZE_MAX
#define X10  "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X990 \
	X100 X100 X100 X100 X100 X100 X100 X100 X100 X10 X10 X10 X10 X10 X10 \
	    X10 X10 X10

static const struct row rows[] = {
	{ "one line", S("250 ok\r\n"), 0, 250, "", "ok", "ok|" },
	{ "code and blank", S("250 \r\n"), 0, 250, "", "", "|" },
	{ "code alone", S("354\r\n"), 0, 354, "", "", "|" },
	{ "two lines", S("250-a\r\n250 b\r\n"), 0, 250, "", "a / b", "a|b|" },
	{ "code alone ends", S("250-a\r\n250\r\n"), 0, 250, "", "a", "a||" },
	{ "empty line inside", S("250-a\r\n250-\r\n250 b\r\n"), 0, 250, "",
	    "a / b", "a||b|" },
	{ "next reply is left", S("250 a\r\n354 b\r\n"), 7, 250, "", "a",
	    "a|" },
	{ "anything is left", S("220 a\r\n\x16\x03\x01"), 3, 220, "", "a",
	    "a|" },
	{ "no end yet", S("250-a\r\n250-b\r\n"), NONE, 250, "", "a / b",
	    "a|b|" },
	{ "no line yet", S("250 a\r"), NONE, 0, "", "", "" },
	{ "nothing", S(""), NONE, 0, "", "", "" },
	{ "status", S("550 5.1.1 no such user\r\n"), 0, 550, "5.1.1",
	    "no such user", "5.1.1 no such user|" },
	{ "status on each line", S("550-5.7.1 a\r\n550 5.7.1 b\r\n"), 0, 550,
	    "5.7.1", "a / b", "5.7.1 a|5.7.1 b|" },
	{ "another status further down", S("550-5.7.1 a\r\n550 5.7.2 b\r\n"), 0,
	    550, "5.7.1", "a / 5.7.2 b", "5.7.1 a|5.7.2 b|" },
	{ "status only further down", S("550-a\r\n550 5.7.2 b\r\n"), 0, 550, "",
	    "a / 5.7.2 b", "a|5.7.2 b|" },
	{ "status alone", S("250 2.0.0\r\n"), 0, 250, "2.0.0", "", "2.0.0|" },
	{ "status of another class", S("450 5.1.1 x\r\n"), 0, 450, "",
	    "5.1.1 x", "5.1.1 x|" },
	{ "no status, a number", S("550 5.1 x\r\n"), 0, 550, "", "5.1 x",
	    "5.1 x|" },
	{ "no status, an address", S("220 2.0.0.1 x\r\n"), 0, 220, "",
	    "2.0.0.1 x", "2.0.0.1 x|" },
	{ "EHLO",
	    S("250-mx\r\n250-PIPELINING\r\n250-SIZE 1\r\n250 8BITMIME\r\n"), 0,
	    250, "", "mx / PIPELINING / SIZE 1 / 8BITMIME",
	    "mx|PIPELINING|SIZE 1|8BITMIME|" },
	{ "controls", S("550 a\x01\x1b\x7f\0z\tb\r\n"), 0, 550, "",
	    "a\?\?\?\?z b", "a\?\?\?\?z b|" },
	{ "8-bit", S("550 \xc3\xbc\r\n"), 0, 550, "", "\?\?", "\?\?|" },
	{ "blanks round the text", S("250   a  \r\n"), 0, 250, "", "a",
	    "  a  |" },
	{ "code 299", S("299 a\r\n"), 0, 299, "", "a", "a|" },
	{ "code 599", S("599 a\r\n"), 0, 599, "", "a", "a|" },
	{ "line of 1,000", S("250 " X990 "1234\r\n"), 0, 250, "", X990 "1234",
	    X990 "1234|" },
};

struct outcome {
	struct reply r;
	enum reply_result result;
	size_t used;
	char each[REPLY_BYTES_MAX];
	unsigned lines;
};

static void
on_line(void *arg, unsigned number, const char *text)
{
	struct outcome *o = arg;

	assert_int_equal(number, o->lines++);
	strcat(o->each, text);
	strcat(o->each, "|");
}

static void
begin(struct outcome *o)
{
	memset(o, 0x5a, sizeof(*o));
	reply_init(&o->r, on_line, o);
	o->result = REPLY_MORE;
	o->used = 0;
	o->each[0] = '\0';
	o->lines = 0;
}

static void
feed(struct outcome *o, const char *in, size_t n)
{
	char *piece = exact(in, n);
	size_t used = SIZE_MAX;

	if (o->result == REPLY_MORE) {
		o->result = reply_feed(&o->r, piece, n, &used);
		assert_true(used <= n);
		if (o->result == REPLY_MORE)
			assert_int_equal(used, n);
		o->used += used;
	}
	free(piece);
}

static void
assert_row(const struct outcome *o, const struct row *t)
{
	if (t->left == NONE) {
		assert_int_equal(o->result, REPLY_MORE);
	} else {
		assert_int_equal(o->result, REPLY_DONE);
		assert_int_equal(o->used, t->n - t->left);
	}
	assert_null(o->r.problem);
	assert_int_equal(o->r.code, t->code);
	assert_string_equal(o->r.status, t->status);
	assert_string_equal(o->r.text, t->text);
	assert_int_equal(o->r.text_len, strlen(t->text));
	assert_string_equal(o->each, t->each);
}

static void
collects(void **state)
{
	const struct row *t = *state;
	static struct outcome o;

	begin(&o);
	feed(&o, t->in, t->n);
	assert_row(&o, t);
	for (size_t i = 0; i <= t->n; i++) {
		begin(&o);
		feed(&o, t->in, i);
		feed(&o, t->in + i, t->n - i);
		assert_row(&o, t);
	}
	begin(&o);
	for (size_t i = 0; i < t->n; i++)
		feed(&o, t->in + i, 1);
	assert_row(&o, t);
}

struct bad {
	const char *name, *in;
	size_t n;
	const char *problem;
};

static const struct bad bad[] = {
	{ "empty line", S("\r\n"), "no reply code" },
	{ "no code", S("hello\r\n"), "no reply code" },
	{ "two digits", S("25\r\n"), "no reply code" },
	{ "four digits", S("2500 x\r\n"), "no reply code" },
	{ "code 199", S("199 x\r\n"), "no reply code" },
	{ "code 600", S("600 x\r\n"), "no reply code" },
	{ "code 000", S("000 x\r\n"), "no reply code" },
	{ "code with a letter", S("2x0 x\r\n"), "no reply code" },
	{ "code with a blank in front", S(" 250 x\r\n"), "no reply code" },
	{ "another separator", S("250_x\r\n"), "no reply code" },
	{ "tab as separator", S("250\tx\r\n"), "no reply code" },
	{ "NUL as separator", S("250\0x\r\n"), "no reply code" },
	{ "no code further down", S("250-x\r\nx\r\n"), "no reply code" },
	{ "different codes", S("250-x\r\n251 x\r\n"),
	    "different codes in one reply" },
	{ "different classes", S("250-x\r\n550 x\r\n"),
	    "different codes in one reply" },
	{ "LF", S("250 x\n"), "bare LF" },
	{ "LF first", S("\n"), "bare LF" },
	{ "LF inside", S("250 x\ny\r\n"), "bare LF" },
	{ "CR inside", S("250 x\ry\r\n"), "bare CR" },
	{ "CR CRLF", S("250 x\r\r\n"), "bare CR" },
	{ "CR NUL", S("250 x\r\0\n"), "bare CR" },
	{ "line of 1,001", S("250 " X990 "12345\r\n"), "reply line too long" },
	{ "line without an end", S(X990 X990), "reply line too long" },
};

static void
refuses(void **state)
{
	const struct bad *t = *state;
	static struct outcome o;

	for (size_t i = 0; i <= t->n; i++) {
		begin(&o);
		feed(&o, t->in, i);
		feed(&o, t->in + i, t->n - i);
		assert_int_equal(o.result, REPLY_BAD);
		assert_string_equal(o.r.problem, t->problem);
	}
}

static void
bounds_the_reply(void **state)
{
	static struct outcome o;
	size_t fed = 0;

	(void)state;
	begin(&o);
	while (o.result == REPLY_MORE) {
		feed(&o, S("250-0123456789\r\n")); /* 16 bytes */
		fed += 16;
	}
	assert_int_equal(o.result, REPLY_BAD);
	assert_string_equal(o.r.problem, "reply too long");
	assert_int_equal(fed, REPLY_BYTES_MAX + 16);
	assert_true(o.r.text_len < sizeof(o.r.text));
	assert_int_equal(strlen(o.r.text), o.r.text_len);
}

static void
cuts_the_text(void **state)
{
	static struct outcome o;

	(void)state;
	begin(&o);
	feed(&o, S("550-" X990 "\r\n550-" X990 "\r\n550 5.1.1 end\r\n"));
	assert_int_equal(o.result, REPLY_DONE);
	assert_int_equal(o.r.text_len, REPLY_TEXT_MAX - 1);
	assert_memory_equal(o.r.text, X990 " / x", 994);
}

static void
goes_on_to_the_next(void **state)
{
	static const char in[] = "250-a\r\n250 b\r\n354 go\r\n550 5.1.1 no\r\n";
	struct reply r;
	size_t at = 0, used;

	(void)state;
	reply_init(&r, NULL, NULL);
	assert_int_equal(reply_feed(&r, in, sizeof(in) - 1, &used), REPLY_DONE);
	assert_int_equal(r.code, 250);
	at += used;
	reply_init(&r, NULL, NULL);
	assert_int_equal(
	    reply_feed(&r, in + at, sizeof(in) - 1 - at, &used), REPLY_DONE);
	assert_int_equal(r.code, 354);
	assert_string_equal(r.text, "go");
	at += used;
	reply_init(&r, NULL, NULL);
	assert_int_equal(
	    reply_feed(&r, in + at, sizeof(in) - 1 - at, &used), REPLY_DONE);
	assert_int_equal(r.code, 550);
	assert_string_equal(r.status, "5.1.1");
	assert_int_equal(at + used, sizeof(in) - 1);
}

int
main(void)
{
	ADD_TABLE(rows, collects);
	ADD_TABLE(bad, refuses);
	add("a reply over 16 KiB", bounds_the_reply, NULL);
	add("more text than is kept", cuts_the_text, NULL);
	add("one reply after the other", goes_on_to_the_next, NULL);
	return run_cases("mail/reply");
}
