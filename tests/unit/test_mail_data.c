/*
 * Where DATA ends, which dots go, and what is held against a message: each
 * published way to disagree about it, and every way to cut it into reads.
 */
#include "test_mail.h"

#include "mail/data.h"

#define X10  "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X990 \
	X100 X100 X100 X100 X100 X100 X100 X100 X100 X10 X10 X10 X10 X10 X10 \
	    X10 X10 X10

struct row {
	const char *name, *in;
	size_t n;
	const char *out;
	size_t out_n;
	size_t left; /* bytes behind the end; NONE when it has not come */
	enum data_fault fault;
};

#define NONE SIZE_MAX

/* What an attacker puts behind a false end. */
#define EVIL "MAIL FROM:<x@y>\r\n"
#define END  "\r\n.\r\n"

static const struct row rows[] = {
	{ "empty message", S(".\r\n"), S(""), 0, DATA_CLEAN },
	{ "one empty line", S("\r\n.\r\n"), S("\r\n"), 0, DATA_CLEAN },
	{ "one line", S("a\r\n.\r\n"), S("a\r\n"), 0, DATA_CLEAN },
	{ "next command is left", S("a\r\n.\r\nQUIT\r\n"), S("a\r\n"), 6,
	    DATA_CLEAN },
	{ "second message is left", S("a\r\n.\r\nMAIL FROM:<b@c>\r\n.\r\n"),
	    S("a\r\n"), 20, DATA_CLEAN },
	{ "no end yet", S("a\r\nb\r\n"), S("a\r\nb\r\n"), NONE, DATA_CLEAN },
	{ "dot held back", S("a\r\n."), S("a\r\n"), NONE, DATA_CLEAN },
	{ "dot and CR held back", S("a\r\n.\r"), S("a\r\n"), NONE, DATA_CLEAN },
	{ "stuffed dot", S("..\r\n.\r\n"), S(".\r\n"), 0, DATA_CLEAN },
	{ "stuffed dots", S("a\r\n..\r\n...\r\n..b\r\n.\r\n"),
	    S("a\r\n.\r\n..\r\n.b\r\n"), 0, DATA_CLEAN },
	{ "dot before text goes", S(".a\r\n.\r\n"), S("a\r\n"), 0, DATA_CLEAN },
	{ "dot within a line stays", S("a.\r\nb.c\r\n.\r\n"),
	    S("a.\r\nb.c\r\n"), 0, DATA_CLEAN },
	{ "dot and space", S(". \r\n.\r\n"), S(" \r\n"), 0, DATA_CLEAN },
	{ "space and dot", S(" .\r\n.\r\n"), S(" .\r\n"), 0, DATA_CLEAN },

	/* CVE-2023-51764, -51765, -51766, -52354 and their kin. */
	{ "LF . LF", S("a\n.\n" EVIL END), S("a\n.\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "LF . CRLF", S("a\n.\r\n" EVIL END), S("a\n.\r\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "LF .. CRLF", S("a\n..\r\n" EVIL END), S("a\n..\r\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "CRLF . LF", S("a\r\n.\n" EVIL END), S("a\r\n\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "CR . CR", S("a\r.\r" EVIL END), S("a\r.\r" EVIL "\r\n"), 0,
	    DATA_BARE_CR },
	{ "CR . CRLF", S("a\r.\r\n" EVIL END), S("a\r.\r\n" EVIL "\r\n"), 0,
	    DATA_BARE_CR },
	{ "CR . LF", S("a\r.\n" EVIL END), S("a\r.\n" EVIL "\r\n"), 0,
	    DATA_BARE_CR },
	{ "CRLF . CR", S("a\r\n.\r" EVIL END), S("a\r\n\r" EVIL "\r\n"), 0,
	    DATA_BARE_CR },
	{ "LF . CR", S("a\n.\r" EVIL END), S("a\n.\r" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "CRLF NUL . CRLF", S("a\r\n\0.\r\n" EVIL END),
	    S("a\r\n\0.\r\n" EVIL "\r\n"), 0, DATA_NUL },
	{ "CRLF . NUL CRLF", S("a\r\n.\0\r\n" EVIL END),
	    S("a\r\n\0\r\n" EVIL "\r\n"), 0, DATA_NUL },
	{ "CR NUL LF . CRLF", S("a\r\0\n.\r\n" EVIL END),
	    S("a\r\0\n.\r\n" EVIL "\r\n"), 0, DATA_BARE_CR },
	{ "CRLF . CR NUL LF", S("a\r\n.\r\0\n" EVIL END),
	    S("a\r\n\r\0\n" EVIL "\r\n"), 0, DATA_BARE_CR },
	{ "CR CRLF . CR CRLF", S("a\r\r\n.\r\r\n" EVIL END),
	    S("a\r\r\n\r\r\n" EVIL "\r\n"), 0, DATA_BARE_CR },
	{ "CRLF . CR CRLF", S("a\r\n.\r\r\n" EVIL END),
	    S("a\r\n\r\r\n" EVIL "\r\n"), 0, DATA_BARE_CR },
	{ "LF LF . LF", S("a\n\n.\n" EVIL END), S("a\n\n.\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "CR CR . CR", S("a\r\r.\r" EVIL END), S("a\r\r.\r" EVIL "\r\n"), 0,
	    DATA_BARE_CR },
	{ "CRLF . LF LF", S("a\r\n.\n\n" EVIL END), S("a\r\n\n\n" EVIL "\r\n"),
	    0, DATA_BARE_LF },
	{ "LF CR . LF CR", S("a\n\r.\n\r" EVIL END),
	    S("a\n\r.\n\r" EVIL "\r\n"), 0, DATA_BARE_LF },
	{ "CRLF LF . CRLF", S("a\r\n\n.\r\n" EVIL END),
	    S("a\r\n\n.\r\n" EVIL "\r\n"), 0, DATA_BARE_LF },
	{ "CRLF CR . CRLF", S("a\r\n\r.\r\n" EVIL END),
	    S("a\r\n\r.\r\n" EVIL "\r\n"), 0, DATA_BARE_CR },
	{ "CR CRLF . CRLF does end", S("a\r\r\n.\r\n" EVIL), S("a\r\r\n"), 17,
	    DATA_BARE_CR },
	{ "LF at the start", S("\n.\r\n" EVIL END), S("\n.\r\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "dot LF at the start", S(".\n" EVIL END), S("\n" EVIL "\r\n"), 0,
	    DATA_BARE_LF },
	{ "dot CR at the start", S(".\rx" END), S("\rx\r\n"), 0, DATA_BARE_CR },
	{ "vertical tab and form feed end nothing", S("a\v.\v\f.\f" END),
	    S("a\v.\v\f.\f\r\n"), 0, DATA_CLEAN },
	{ "NEL and LS end nothing",
	    S("a\xc2\x85.\xc2\x85\xe2\x80\xa8.\xe2\x80\xa8" END),
	    S("a\xc2\x85.\xc2\x85\xe2\x80\xa8.\xe2\x80\xa8\r\n"), 0,
	    DATA_CLEAN },
	{ "overlong and high twins end nothing", S("a\x8d\x8a.\x8d\x8a" END),
	    S("a\x8d\x8a.\x8d\x8a\r\n"), 0, DATA_CLEAN },

	{ "first fault is kept: CR", S("a\rb\nc\0" END), S("a\rb\nc\0\r\n"), 0,
	    DATA_BARE_CR },
	{ "first fault is kept: LF", S("a\nb\rc\0" END), S("a\nb\rc\0\r\n"), 0,
	    DATA_BARE_LF },
	{ "first fault is kept: NUL", S("a\0b\rc\n" END), S("a\0b\rc\n\r\n"), 0,
	    DATA_NUL },
	{ "fault in the last line", S("a\r\nb\0" END), S("a\r\nb\0\r\n"), 0,
	    DATA_NUL },
	{ "fault behind the end is not ours", S("a\r\n.\r\n\r\n\n\0"),
	    S("a\r\n"), 4, DATA_CLEAN },
	{ "fault deep in a long run",
	    S(X100 "\r\n" X100 "\r\n" X100 "\rx" X100 END),
	    S(X100 "\r\n" X100 "\r\n" X100 "\rx" X100 "\r\n"), 0,
	    DATA_BARE_CR },

	{ "line of 998", S(X990 "12345678" END), S(X990 "12345678\r\n"), 0,
	    DATA_CLEAN },
	{ "second line of 998", S("a\r\n" X990 "12345678" END),
	    S("a\r\n" X990 "12345678\r\n"), 0, DATA_CLEAN },
	{ "line of 999", S(X990 "123456789" END), S(X990 "123456789\r\n"), 0,
	    DATA_LONG_LINE },
	{ "stuffed line of 998", S("." X990 "12345678" END),
	    S(X990 "12345678\r\n"), 0, DATA_CLEAN },
	{ "stuffed line of 999", S("." X990 "123456789" END),
	    S(X990 "123456789\r\n"), 0, DATA_LONG_LINE },
	{ "LF does not shorten a line", S(X990 "\n12345678" END),
	    S(X990 "\n12345678\r\n"), 0, DATA_BARE_LF },
	{ "long line gives way to NUL", S(X990 "123456789\r\na\0" END),
	    S(X990 "123456789\r\na\0\r\n"), 0, DATA_NUL },
	{ "long line gives way to CR", S(X990 "123456789\r\na\rb" END),
	    S(X990 "123456789\r\na\rb\r\n"), 0, DATA_BARE_CR },
	{ "long line gives way to LF", S(X990 "123456789\r\na\nb" END),
	    S(X990 "123456789\r\na\nb\r\n"), 0, DATA_BARE_LF },
	{ "NUL does not give way to a long line",
	    S("\0\r\n" X990 "123456789" END), S("\0\r\n" X990 "123456789\r\n"),
	    0, DATA_NUL },
	{ "dot at 998 on the next line", S(X990 "12345678\r\n..\r\n.\r\n"),
	    S(X990 "12345678\r\n.\r\n"), 0, DATA_CLEAN },
};

struct outcome {
	struct data_reader r;
	char *out;
	size_t out_n, used;
	bool ended;
};

/* Feed a piece, in memory of its exact size. */
static void
feed(struct outcome *o, const char *in, size_t n)
{
	char *piece = exact(in, n), *out = malloc(n + 4);
	size_t used = SIZE_MAX, len = SIZE_MAX;
	enum data_result result;

	assert_non_null(out);
	result = data_read(&o->r, piece, n, &used, out, &len);
	assert_true(used <= n && len <= n + 4);
	if (o->ended) {
		assert_int_equal(used, 0);
		assert_int_equal(len, 0);
		assert_int_equal(result, DATA_END);
	} else if (result == DATA_MORE) {
		assert_int_equal(used, n);
	}
	memcpy(o->out + o->out_n, out, len);
	o->out_n += len;
	o->used += used;
	o->ended = result == DATA_END;
	free(piece);
	free(out);
}

static void
begin(struct outcome *o, size_t n)
{
	memset(o, 0x5a, sizeof(*o));
	data_init(&o->r);
	o->out = malloc(n + 1);
	assert_non_null(o->out);
	o->out_n = o->used = 0;
	o->ended = false;
}

static void
assert_outcome(struct outcome *o, const char *out, size_t out_n, size_t used,
    bool ended, enum data_fault fault)
{
	assert_int_equal(o->out_n, out_n);
	assert_memory_equal(o->out, out, out_n);
	assert_int_equal(o->r.size, out_n);
	assert_int_equal(o->used, used);
	assert_int_equal(o->ended, ended);
	assert_int_equal(o->r.fault, fault);
	free(o->out);
}

static void
assert_row(const struct row *t, struct outcome *o)
{
	bool ended = t->left != NONE;

	assert_outcome(o, t->out, t->out_n, ended ? t->n - t->left : t->n,
	    ended, t->fault);
}

static void
whole(void **state)
{
	const struct row *t = *state;
	struct outcome o;

	begin(&o, t->n);
	feed(&o, t->in, t->n);
	feed(&o, "", 0);
	assert_row(t, &o);
}

static void
cut_everywhere(void **state)
{
	const struct row *t = *state;
	struct outcome o;

	for (size_t i = 0; i <= t->n; i++) {
		begin(&o, t->n);
		feed(&o, t->in, i);
		feed(&o, t->in + i, t->n - i);
		assert_row(t, &o);
	}
	begin(&o, t->n);
	for (size_t i = 0; i < t->n; i++)
		feed(&o, t->in + i, 1);
	assert_row(t, &o);
	if (t->n > 60)
		return;
	for (size_t i = 0; i <= t->n; i++)
		for (size_t j = i; j <= t->n; j++) {
			begin(&o, t->n);
			feed(&o, t->in, i);
			feed(&o, t->in + i, j - i);
			feed(&o, t->in + j, t->n - j);
			assert_row(t, &o);
		}
}

/* The same, from the RFC's words and with no thought of speed. */
static void
model(const char *s, size_t n, struct outcome *o)
{
	enum data_fault fault = DATA_CLEAN;
	size_t i;

	begin(o, n);
	o->r.size = 0;
	for (i = 0; i < n; i++) {
		bool start =
		    i == 0 || (i > 1 && s[i - 2] == '\r' && s[i - 1] == '\n');
		enum data_fault f = DATA_CLEAN;

		if (start && s[i] == '.') {
			if (n - i >= 3 && s[i + 1] == '\r' &&
			    s[i + 2] == '\n') {
				i += 3;
				o->ended = true;
				break;
			}
			if (n - i == 2 && s[i + 1] == '\r')
				i++; /* held back */
			continue;
		}
		if (s[i] == '\0')
			f = DATA_NUL;
		else if (s[i] == '\n' && (i == 0 || s[i - 1] != '\r'))
			f = DATA_BARE_LF;
		else if (s[i] == '\r' && i + 1 < n && s[i + 1] != '\n')
			f = DATA_BARE_CR;
		if (fault == DATA_CLEAN)
			fault = f;
		if ((unsigned char)s[i] > 127)
			o->r.eight_bit = true;
		o->out[o->out_n++] = s[i];
		o->r.size++;
	}
	o->r.fault = fault;
	o->used = i;
}

static void
every_short_input(void **state)
{
	static const char alphabet[] = { '\r', '\n', '.', 'a', '\0' };
	char s[8];
	size_t n = 0;

	(void)state;
	memset(s, 0, sizeof(s));
	do {
		struct outcome want, got;

		model(s, n, &want);
		begin(&got, n);
		for (size_t i = 0; i < n; i++)
			feed(&got, s + i, 1);
		assert_outcome(&got, want.out, want.out_n, want.used,
		    want.ended, want.r.fault);
		begin(&got, n);
		feed(&got, s, n);
		assert_outcome(&got, want.out, want.out_n, want.used,
		    want.ended, want.r.fault);
		free(want.out);
	} while (next_string(s, &n, 7, alphabet, sizeof(alphabet)));
}

/* Long enough that vectors do the work, at random. */
static void
random_long_inputs(void **state)
{
	static const char pieces[][8] = { "\r\n", "\r\n.", "\r\n..", ".\r\n",
		"abcdef", "x", "\t", "\r", "\n", "", "\xe4", "\r\n.\r\n" };
	char s[400];

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		/* Faults are rare, so that most runs are long. */
		size_t n = 0, limit = (size_t)rand() % 300,
		       kinds = round % 3 == 0 ? COUNT(pieces) : 7;
		struct outcome want, got;

		while (n < limit) {
			size_t k = (size_t)rand() % kinds;
			size_t len = k == 9 ? 1 : strlen(pieces[k]);

			memcpy(s + n, pieces[k], len);
			n += len;
		}
		model(s, n, &want);
		begin(&got, n);
		for (size_t i = 0; i < n;) {
			size_t k = (size_t)rand() % (n - i + 1);

			feed(&got, s + i, k);
			i += k;
		}
		assert_int_equal(got.r.eight_bit, want.r.eight_bit);
		assert_outcome(&got, want.out, want.out_n, want.used,
		    want.ended, want.r.fault);
		free(want.out);
	}
}

static void
sees_eight_bit(void **state)
{
	char s[] = "abcdefghijklmnopqrstuvwxyz0123456789abcdefgh\r\n.\r\n";
	size_t n = sizeof(s) - 1;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char keep = s[i];
		struct outcome o;

		s[i] = (char)0x80;
		begin(&o, n);
		feed(&o, s, n);
		/* In the end's own bytes there is then no end, but data. */
		assert_true(o.r.eight_bit);
		free(o.out);
		s[i] = keep;
	}
}

static void
eight_bit_behind_the_end_is_not_seen(void **state)
{
	struct outcome o;

	(void)state;
	begin(&o, 20);
	feed(&o, S("a\r\n.\r\n\xff\xff\xff\xff\xff\xff"));
	assert_true(o.ended);
	assert_false(o.r.eight_bit);
	free(o.out);
}

struct chunk {
	const char *name, *in;
	size_t n;
	enum data_fault fault;
	bool whole_line; /* at its end */
};

static const struct chunk chunks[] = {
	{ "chunk of text", S("a\r\nb\r\n"), DATA_CLEAN, true },
	{ "chunk of nothing", S(""), DATA_CLEAN, true },
	{ "chunk with dots", S(".\r\n..\r\n\r\n.\r\n"), DATA_CLEAN, true },
	{ "chunk without line end", S("a\r\nb"), DATA_CLEAN, false },
	{ "chunk with LF", S("a\r\n\nb\r\n"), DATA_BARE_LF, true },
	{ "chunk with LF first", S("\na\r\n"), DATA_BARE_LF, true },
	{ "chunk with CR", S("a\rb\nc\r\n"), DATA_BARE_CR, true },
	{ "chunk with CR CR LF", S("a\r\r\n"), DATA_BARE_CR, true },
	{ "chunk with CR last", S("a\r\nb\r"), DATA_BARE_CR, false },
	{ "chunk with NUL", S("a\0\rb\r\n"), DATA_NUL, true },
	{ "chunk with line of 998", S(X990 "12345678\r\n"), DATA_CLEAN, true },
	{ "chunk with line of 999", S(X990 "123456789\r\n"), DATA_LONG_LINE,
	    true },
};

/* However the chunks are cut. */
static void
judges_chunks(void **state)
{
	const struct chunk *t = *state;
	struct data_reader r;

	for (size_t i = 0; i <= t->n; i++)
		for (size_t j = i; j <= t->n; j += t->n > 80 ? 61 : 1) {
			data_init(&r);
			data_chunk(&r, t->in, i, false);
			data_chunk(&r, t->in + i, j - i, false);
			data_chunk(&r, t->in + j, t->n - j, false);
			assert_int_equal(data_chunk_end(&r), t->whole_line);
			assert_int_equal(r.fault, t->fault);
			assert_int_equal(r.size, t->n);
			assert_false(r.eight_bit);
		}
	data_init(&r);
	data_chunk(&r, t->in, t->n, true);
	assert_int_equal(r.fault, DATA_CLEAN);
	assert_int_equal(r.size, t->n);
	data_chunk(&r, "\xff", 1, true);
	assert_true(r.eight_bit);
}

int
main(void)
{
	ADD_TABLE(chunks, judges_chunks);

	ADD_TABLE(rows, whole);
	for (size_t i = 0; i < COUNT(rows); i++) {
		static char names[COUNT(rows)][80];

		snprintf(names[i], sizeof(names[i]), "%s, cut", rows[i].name);
		add(names[i], cut_everywhere, &rows[i]);
	}
	add("every input of up to 7 bytes", every_short_input, NULL);
	add("long inputs at random", random_long_inputs, NULL);
	add("sees 8-bit bytes at each place", sees_eight_bit, NULL);
	add("8-bit bytes behind the end", eight_bit_behind_the_end_is_not_seen,
	    NULL);
	return run_cases("mail/data");
}
