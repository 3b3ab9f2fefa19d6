/* What the scanner sees in a header, however it is cut. */
#include "test_mail.h"

#include "mail/header.h"

#define X100 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X300 X100 X100 X100
#define X995 \
	X300 X300 X300 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct row {
	const char *name, *in;
	size_t n;
	enum header_fault fault;
	bool empty, blank_line;
	size_t bytes;
	const char *from, *sender, *message_id; /* NULL: the field is absent */
	bool date;
	unsigned received;
};

#define H(text) text, sizeof(text) - 1, HEADER_CLEAN
#define X16     "xxxxxxxxxxxxxxxx"
#define X64     X16 X16 X16 X16
#define X256    X64 X64 X64 X64

static const struct row rows[] = {
	{ "usual",
	    H("Received: x\r\nFrom: a@b\r\nDate: now\r\n"
	      "Message-ID: <m@x>\r\n\r\nbody\r\n"),
	    false, true, 56, "a@b", NULL, "<m@x>", true, 1 },
	{ "sender too", H("From: a@b\r\nSender: c@d\r\n\r\n"), false, true, 26,
	    "a@b", "c@d", NULL, false, 0 },
	{ "header only", H("From: a@b\r\n"), false, false, 11, "a@b", NULL,
	    NULL, false, 0 },
	{ "header only, cut", H("From: a@b"), false, false, 9, "a@b", NULL,
	    NULL, false, 0 },
	{ "header only, cut behind CR", H("From: a@b\r"), false, false, 10,
	    "a@b", NULL, NULL, false, 0 },
	{ "cut behind the colon", H("From:"), false, false, 5, "", NULL, NULL,
	    false, 0 },
	{ "names in any case",
	    H("FROM: a@b\r\nsEnDeR: c@d\r\nmessage-id: m\r\ndAtE: x\r\n"
	      "RECEIVED: y\r\n\r\n"),
	    false, true, 63, "a@b", "c@d", "m", true, 1 },
	{ "no blank behind the colon", H("From:a@b\r\n\r\n"), false, true, 12,
	    "a@b", NULL, NULL, false, 0 },
	{ "blanks round a value", H("From: \t a@b \t \r\n\r\n"), false, true,
	    18, "a@b", NULL, NULL, false, 0 },
	{ "blanks round all values",
	    H("Sender: \t a@b \t \r\nMessage-ID: \t <a b> \t\r\n\r\n"), false,
	    true, 43, NULL, "a@b", "<a b>", false, 0 },
	{ "name of one letter and a blank", H("X : y\r\n\r\n"), false, true, 9,
	    NULL, NULL, NULL, false, 0 },
	{ "blanks before the colon", H("From \t: a@b\r\n\r\n"), false, true, 15,
	    "a@b", NULL, NULL, false, 0 },
	{ "folded", H("From: a@b,\r\n c@d,\r\n\te@f\r\n\r\n"), false, true, 27,
	    "a@b, c@d,\te@f", NULL, NULL, false, 0 },
	{ "folded at once", H("From:\r\n a@b\r\n\r\n"), false, true, 15, "a@b",
	    NULL, NULL, false, 0 },
	{ "folded other field hides nothing",
	    H("Subject: x\r\n From: c@d\r\nFrom: a@b\r\n\r\n"), false, true, 37,
	    "a@b", NULL, NULL, false, 0 },
	{ "blank continuation line", H("From: a@b\r\n \r\n c@d\r\n\r\n"), false,
	    true, 22, "a@b  c@d", NULL, NULL, false, 0 },
	{ "names that only begin alike",
	    H("From-X: a\r\nFro: b\r\nX-From: c\r\nDates: d\r\n\r\n"), false,
	    true, 42, NULL, NULL, NULL, false, 0 },
	{ "very long name", H(X256 ": a\r\nFrom: a@b\r\n\r\n"), false, true,
	    274, "a@b", NULL, NULL, false, 0 },
	{ "name of all visible bytes",
	    H("!\"#$%&'()*+,-./0;<=>?@[\\]^_`{|}~: x\r\n\r\n"), false, true, 39,
	    NULL, NULL, NULL, false, 0 },
	{ "From in the body is not one", H("X: y\r\n\r\nFrom: a@b\r\n"), false,
	    true, 8, NULL, NULL, NULL, false, 0 },
	{ "empty From", H("From:\r\n\r\n"), false, true, 9, "", NULL, NULL,
	    false, 0 },
	{ "controls in Message-ID", H("Message-ID: <\x01\t\x7f>\r\n\r\n"),
	    false, true, 21, NULL, NULL, "<\?\?\?>", false, 0 },
	{ "NUL in Message-ID", H("Message-ID: <\0>\r\n\r\n"), false, true, 19,
	    NULL, NULL, "<\?>", false, 0 },
	{ "lone CR in a value", H("From: a\rb\r\n\r\n"), false, true, 13,
	    "a\rb", NULL, NULL, false, 0 },
	{ "lone CRs in a value", H("From: a\r\rb\r\n\r\n"), false, true, 14,
	    "a\r\rb", NULL, NULL, false, 0 },

	{ "empty message", H(""), true, false, 0, NULL, NULL, NULL, false, 0 },
	{ "empty line first", H("\r\nFrom: a@b\r\n"), true, true, 2, NULL, NULL,
	    NULL, false, 0 },
	{ "body only", H("hello world\r\nFrom: a@b\r\n\r\n"), true, false, 0,
	    NULL, NULL, NULL, false, 0 },
	{ "body only, cut", H("hello"), true, false, 0, NULL, NULL, NULL, false,
	    0 },
	{ "body that begins with a blank", H(" From: a@b\r\n\r\n"), true, false,
	    0, NULL, NULL, NULL, false, 0 },
	{ "body that begins with a colon", H(": x\r\n\r\n"), true, false, 0,
	    NULL, NULL, NULL, false, 0 },
	{ "mailbox separator", H("From a@b Sat Nov 21 20:00:00\r\nX: y\r\n"),
	    true, false, 0, NULL, NULL, NULL, false, 0 },
	{ "8-bit name first", H("\xc3\xbc: x\r\n\r\n"), true, false, 0, NULL,
	    NULL, NULL, false, 0 },
	{ "CR first", H("\rx"), true, false, 0, NULL, NULL, NULL, false, 0 },
	{ "CR alone", H("\r"), true, false, 0, NULL, NULL, NULL, false, 0 },
};

struct fault {
	const char *name, *in;
	size_t n;
	enum header_fault fault;
};

static const struct fault faults[] = {
	{ "two From", S("From: a@b\r\nFrom: c@d\r\n\r\n"), HEADER_TWO_FROM },
	{ "two From in two cases", S("From: a@b\r\nX: y\r\nfrOM : c@d\r\n"),
	    HEADER_TWO_FROM },
	{ "two From, the first one empty", S("From:\r\nFrom: c@d\r\n\r\n"),
	    HEADER_TWO_FROM },
	{ "two Sender", S("Sender: a@b\r\nSender: a@b\r\n"),
	    HEADER_TWO_SENDER },
	{ "two Date", S("Date: x\r\nDate: x\r\n"), HEADER_TWO_DATE },
	{ "two Message-ID", S("Message-ID: <1@x>\r\nmessage-id: <1@x>\r\n"),
	    HEADER_TWO_MESSAGE_ID },
	{ "two Subject", S("Subject: x\r\nSubject: x\r\n\r\n"),
	    HEADER_TWO_SUBJECT },
	{ "two Reply-To", S("Reply-To: a@b\r\nReply-To: a@b\r\n\r\n"),
	    HEADER_TWO_REPLY_TO },
	{ "two To and Cc add up", S("To: a\r\nTo: b\r\nCc: c\r\nCc: d\r\n\r\n"),
	    HEADER_CLEAN },
	{ "line of 998", S("X: " X995 "\r\n\r\n"), HEADER_CLEAN },
	{ "line of 999", S("X: " X995 "x\r\n\r\n"), HEADER_LONG_LINE },
	{ "folded line of 999", S("X:\r\n   " X995 "x\r\n\r\n"),
	    HEADER_LONG_LINE },
	{ "body line of 999", S("X: y\r\n\r\n   " X995 "x\r\n"), HEADER_CLEAN },
	{ "first fault is kept", S("Date: x\r\nDate: x\r\nFrom: a\r\nFrom: b"),
	    HEADER_TWO_DATE },
	{ "no colon", S("X: y\r\nhello\r\nFrom: a@b\r\n"), HEADER_BAD_FIELD },
	{ "no name", S("X: y\r\n: z\r\n"), HEADER_BAD_FIELD },
	{ "blank in a name", S("X: y\r\nReply To: z\r\n"), HEADER_BAD_FIELD },
	{ "NUL in a name", S("X: y\r\nFrom\0: a@b\r\n"), HEADER_BAD_FIELD },
	{ "8-bit in a name", S("X: y\r\nFr\xc3\xb6m: a@b\r\n"),
	    HEADER_BAD_FIELD },
	{ "control in a name", S("X: y\r\nFrom\x7f: a@b\r\n"),
	    HEADER_BAD_FIELD },
	{ "LF in a name", S("X: y\r\nFro\nm: a@b\r\n"), HEADER_BAD_FIELD },
	{ "CR at the start of a line", S("X: y\r\n\rFrom: a@b\r\n"),
	    HEADER_BAD_FIELD },
	{ "message cut in a name", S("X: y\r\nFro"), HEADER_BAD_FIELD },
	{ "message cut in its empty line", S("X: y\r\n\r"), HEADER_BAD_FIELD },
	{ "mailbox separator further down", S("X: y\r\nFrom a@b\r\n"),
	    HEADER_BAD_FIELD },
};

static void
assert_row(const struct header_scan *h, const struct row *t)
{
	assert_true(h->ended);
	assert_int_equal(h->fault, t->fault);
	assert_int_equal(h->empty, t->empty);
	assert_int_equal(h->blank_line, t->blank_line);
	assert_int_equal(h->bytes, t->bytes);
	assert_int_equal(h->has_from, t->from != NULL);
	assert_int_equal(h->has_sender, t->sender != NULL);
	assert_int_equal(h->has_message_id, t->message_id != NULL);
	assert_int_equal(h->has_date, t->date);
	assert_int_equal(h->received, t->received);
	assert_int_equal(h->from_len, t->from != NULL ? strlen(t->from) : 0);
	assert_memory_equal(h->from, t->from, h->from_len);
	assert_int_equal(
	    h->sender_len, t->sender != NULL ? strlen(t->sender) : 0);
	assert_memory_equal(h->sender, t->sender, h->sender_len);
	assert_string_equal(
	    h->message_id, t->message_id != NULL ? t->message_id : "");
}

static void
feed(struct header_scan *h, const char *in, size_t n)
{
	char *piece = exact(in, n);

	header_feed(h, piece, n);
	free(piece);
}

/* Feed cut in three, end, and hold against the row or the fault. */
static void
scan(struct header_scan *h, const char *in, size_t n, size_t i, size_t j)
{
	memset(h, 0x5a, sizeof(*h));
	header_init(h);
	feed(h, in, i);
	feed(h, in + i, j - i);
	feed(h, in + j, n - j);
	header_finish(h);
}

static void
scans(void **state)
{
	const struct row *t = *state;
	static struct header_scan h;

	for (size_t i = 0; i <= t->n; i++)
		for (size_t j = i; j <= t->n; j += t->n > 80 ? 37 : 1) {
			scan(&h, t->in, t->n, i, j);
			assert_row(&h, t);
		}
	header_init(&h);
	for (size_t i = 0; i < t->n; i++)
		feed(&h, t->in + i, 1);
	header_finish(&h);
	assert_row(&h, t);
}

static void
blames(void **state)
{
	const struct fault *t = *state;
	static struct header_scan h;

	for (size_t i = 0; i <= t->n; i++) {
		scan(&h, t->in, t->n, i, t->n);
		assert_int_equal(h.fault, t->fault);
		assert_true(h.ended);
	}
}

static void
counts_received(void **state)
{
	static struct header_scan h;

	(void)state;
	header_init(&h);
	for (unsigned i = 1; i <= 100; i++) {
		feed(&h, S("Received: from x\r\n\tby y; now\r\n"));
		assert_int_equal(h.received, i);
	}
	assert_int_equal(h.fault, HEADER_CLEAN);
	feed(&h, S("Received: from x\r\n"));
	assert_int_equal(h.fault, HEADER_LOOP);
}

static void
bounds_the_header(void **state)
{
	static struct header_scan h;
	static char big[HEADER_BYTES_MAX + 1];

	(void)state;
	/* A header of just the bound, and one byte more. */
	memset(big, 'x', sizeof(big));
	memcpy(big, "X: ", 3);
	for (size_t i = 500; i < sizeof(big) - 500; i += 500)
		memcpy(big + i, "\r\n ", 3);
	memcpy(big + HEADER_BYTES_MAX - 4, "\r\n\r\n", 4);
	header_init(&h);
	header_feed(&h, big, sizeof(big));
	header_finish(&h);
	assert_int_equal(h.fault, HEADER_CLEAN);
	assert_int_equal(h.bytes, HEADER_BYTES_MAX);
	memcpy(big + HEADER_BYTES_MAX - 4, "x\r\n\r\n", 5);
	for (size_t cut = 1; cut < sizeof(big); cut *= 3) {
		header_init(&h);
		for (size_t i = 0; i < sizeof(big); i += cut)
			header_feed(&h, big + i,
			    cut < sizeof(big) - i ? cut : sizeof(big) - i);
		header_finish(&h);
		assert_int_equal(h.fault, HEADER_TOO_BIG);
		assert_true(h.ended);
	}
	/* One line without an end is no way round it. */
	memset(big, 'x', sizeof(big));
	header_init(&h);
	header_feed(&h, big, sizeof(big));
	assert_int_equal(h.fault, HEADER_TOO_BIG);
	/* The bound is no fault while nothing more comes. */
	big[1] = ':';
	header_init(&h);
	header_feed(&h, big, HEADER_BYTES_MAX);
	assert_false(h.ended);
	header_feed(&h, "", 0);
	header_finish(&h);
	assert_int_equal(h.fault, HEADER_CLEAN);
}

static void
bounds_from(void **state)
{
	static struct header_scan h;
	char x[64];

	(void)state;
	memset(x, 'x', sizeof(x));
	header_init(&h);
	feed(&h, S("From: "));
	for (size_t i = 0; i < sizeof(h.from) / sizeof(x); i++) {
		feed(&h, x, sizeof(x));
		feed(&h, S("\r\n"));
		x[0] = ' ';
	}
	assert_int_equal(h.fault, HEADER_CLEAN);
	assert_int_equal(h.from_len, sizeof(h.from));
	feed(&h, S(" y"));
	assert_int_equal(h.fault, HEADER_LONG_VALUE);
	assert_int_equal(h.from_len, sizeof(h.from));
}

static void
bounds_sender(void **state)
{
	static struct header_scan h;
	char x[64];

	(void)state;
	memset(x, 'x', sizeof(x));
	header_init(&h);
	feed(&h, S("Sender: "));
	for (size_t i = 0; i < sizeof(h.sender) / sizeof(x); i++)
		feed(&h, x, sizeof(x));
	assert_int_equal(h.fault, HEADER_CLEAN);
	feed(&h, S("y"));
	assert_int_equal(h.fault, HEADER_LONG_VALUE);
}

/* It ends in logs, rows and backups, where text is expected. */
static void
makes_text_of_message_id(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "<a\xc2\x85"
		  "b@x>",
		    "<a??b@x>" },
		{ "<J\xfcrgen@x>", "<J?rgen@x>" },
		{ "<J\xc3\xbcrgen@x>", "<J\xc3\xbcrgen@x>" },
		{ "<\x1b[2J@x>", "<?[2J@x>" },
		{ "<a\xc3", "<a?" },
		{ "\xf4\x90\x80\x80", "????" },
	};
	struct header_scan h;
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "Message-ID: %s\r\n\r\n", t[i].in);
		header_init(&h);
		header_feed(&h, text, strlen(text));
		assert_string_equal(h.message_id, t[i].out);
	}
	/* Cut off within a character. */
	snprintf(
	    text, sizeof(text), "Message-ID: <%0253d\xc3\xbc@x>\r\n\r\n", 0);
	header_init(&h);
	header_feed(&h, text, strlen(text));
	assert_int_equal(strlen(h.message_id), 255);
	assert_int_equal(h.message_id[254], '?');
}

static void
cuts_message_id(void **state)
{
	static struct header_scan h;

	(void)state;
	header_init(&h);
	feed(&h, S("Message-ID: <" X256 X256 "@x>\r\n\r\n"));
	assert_int_equal(h.fault, HEADER_CLEAN);
	assert_int_equal(strlen(h.message_id), 255);
	assert_int_equal(h.message_id[0], '<');
}

static void
sees_eight_bit(void **state)
{
	static struct header_scan h;

	(void)state;
	scan(&h, S("Subject: \xc3\xbc\r\n\r\n"), 3, 10);
	assert_true(h.eight_bit);
	scan(&h, S("Subject: u\r\n\r\n\xc3\xbc"), 3, 10);
	assert_false(h.eight_bit);
}

static void
is_deaf_behind_the_header(void **state)
{
	static struct header_scan h, before;

	(void)state;
	header_init(&h);
	feed(&h, S("From: a@b\r\n\r\n"));
	assert_true(h.ended);
	before = h;
	feed(&h, S("From: c@d\r\nReceived: x\r\n\xff\r\n"));
	header_finish(&h);
	assert_memory_equal(&h, &before, sizeof(h));
}

struct edit {
	const char *name, *in;
	size_t n;
	const char *out;
};

static const struct edit edits[] = {
	{ "nothing to take out", S("From: a\r\nTo: b\r\n\r\nBcc: x\r\n"),
	    "From: a\r\nTo: b\r\n\r\nBcc: x\r\n" },
	{ "Bcc in the middle", S("From: a\r\nBcc: x\r\nTo: b\r\n\r\ny"),
	    "From: a\r\nTo: b\r\n\r\ny" },
	{ "Bcc first", S("Bcc: x\r\nTo: b\r\n\r\ny"), "To: b\r\n\r\ny" },
	{ "Bcc last", S("To: b\r\nBcc: x\r\n\r\ny"), "To: b\r\n\r\ny" },
	{ "Bcc only", S("Bcc: x\r\n\r\ny"), "\r\ny" },
	{ "folded Bcc", S("Bcc: x,\r\n y\r\n\tz\r\nTo: b\r\n\r\n"),
	    "To: b\r\n\r\n" },
	{ "Bcc of blanks and a fold", S("bCC \t:\r\n x\r\nTo: b\r\n\r\n"),
	    "To: b\r\n\r\n" },
	{ "several",
	    S("BCC: x\r\nA: b\r\nReturn-Path: <x>\r\nResent-Bcc: y\r\n"
	      "bcc: z\r\nC: d\r\n\r\nBcc: x\r\n"),
	    "A: b\r\nC: d\r\n\r\nBcc: x\r\n" },
	{ "names that begin like it", S("Bccx: x\r\nBc: y\r\nX-Bcc: z\r\n\r\n"),
	    "Bccx: x\r\nBc: y\r\nX-Bcc: z\r\n\r\n" },
	{ "message cut in Bcc", S("To: b\r\nBcc: x"), "To: b\r\n" },
	{ "message cut behind Bcc", S("To: b\r\nBcc: x\r\n"), "To: b\r\n" },
	{ "message cut in its name", S("To: b\r\nBcc"), "To: b\r\nBcc" },
	{ "no header", S("hello\r\nBcc: x\r\n"), "hello\r\nBcc: x\r\n" },
};

/* However it is cut, with what is held offered again. */
static void
takes_out(void **state)
{
	const struct edit *t = *state;
	static struct header_scan h, plain;
	size_t len, k;

	for (size_t i = 0; i <= t->n; i++)
		for (size_t j = i; j <= t->n; j++) {
			size_t cuts[] = { 0, i, j, t->n };
			char *p = calloc(1, t->n + 1);

			header_init(&h);
			header_init(&plain);
			len = 0;
			for (int c = 0; c < 3; c++) {
				k = cuts[c + 1] - cuts[c];
				memcpy(p + len, t->in + cuts[c], k);
				header_feed(&plain, t->in + cuts[c], k);
				assert_true(h.held <= len);
				len -= h.held;
				len += header_edit(&h, p + len, k);
			}
			header_finish(&h);
			header_finish(&plain);
			assert_int_equal(len, strlen(t->out));
			assert_memory_equal(p, t->out, len);
			assert_int_equal(h.dropped, t->n - len);
			assert_int_equal(h.bytes, plain.bytes);
			assert_int_equal(h.fault, plain.fault);
			free(p);
		}
}

static void
keeps_resent(void **state)
{
	static const char in[] =
	    "Resent-From: a@b\r\nResent-Sender:\r\n c@d\r\nReceived: x\r\n"
	    "Resent-From: e@f\r\n\r\n";
	static struct header_scan h;

	(void)state;
	header_init(&h);
	feed(&h, in, strlen(in));
	assert_int_equal(h.fault, HEADER_CLEAN);
	assert_int_equal(h.resent_len, 15);
	assert_memory_equal(h.resent, " a@b\0 c@d\0 e@f\0", 15);
}

static void
reads_tls_required(void **state)
{
	static const struct {
		const char *in;
		bool optional;
	} t[] = {
		{ "TLS-Required: No\r\n\r\n", true },
		{ "tls-required:\r\n no \r\n\r\n", true },
		{ "TLS-Required: Yes\r\n\r\n", false },
		{ "TLS-Required: Nope\r\n\r\n", false },
		{ "TLS-Required: Noooooooooooo\r\n\r\n", false },
		{ "TLS-Required:\r\n\r\n", false },
		{ "X: y\r\n\r\nTLS-Required: No\r\n", false },
	};
	static struct header_scan h;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		header_init(&h);
		feed(&h, t[i].in, strlen(t[i].in));
		header_finish(&h);
		assert_int_equal(h.tls_optional, t[i].optional);
	}
}

static void
judges_utf8(void **state)
{
	static const struct {
		const char *in;
		bool eight, bad;
	} t[] = {
		{ "X: y\r\n\r\n", false, false },
		{ "X: \xc3\xbc\r\n\r\n", true, false },
		{ "X: \xfc\r\nY: \xc3\xbc\r\n\r\n", true, true },
		{ "X: \xc3\r\n \xbc\r\n\r\n", true, true },
		{ "X: y\r\n\r\n\xfc", false, false },
	};
	static struct header_scan h;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		for (size_t cut = 0; cut <= strlen(t[i].in); cut++) {
			header_init(&h);
			feed(&h, t[i].in, cut);
			feed(&h, t[i].in + cut, strlen(t[i].in) - cut);
			assert_int_equal(h.eight_bit, t[i].eight);
			assert_int_equal(h.utf8.bad, t[i].bad);
		}
}

int
main(void)
{
	ADD_TABLE(edits, takes_out);
	add("each Resent-From is kept", keeps_resent, NULL);
	add("TLS-Required", reads_tls_required, NULL);
	add("UTF-8 or not", judges_utf8, NULL);

	ADD_TABLE(rows, scans);
	ADD_TABLE(faults, blames);
	add("Received is counted", counts_received, NULL);
	add("header of 256 KiB", bounds_the_header, NULL);
	add("From of 8 KiB", bounds_from, NULL);
	add("Sender of 1 KiB", bounds_sender, NULL);
	add("long Message-ID", cuts_message_id, NULL);
	add("Message-ID is text", makes_text_of_message_id, NULL);
	add("8-bit header", sees_eight_bit, NULL);
	add("the body changes nothing", is_deaf_behind_the_header, NULL);
	return run_cases("mail/header");
}
