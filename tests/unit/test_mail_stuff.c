/*
 * What leaves as DATA: dots, the end, and no byte that another server could
 * take for a line end.
 */
#include "test_mail.h"

#include "mail/data.h"
#include "mail/stuff.h"

struct row {
	const char *name, *in;
	size_t n;
	const char *out;
	size_t out_n;
};

static const struct row rows[] = {
	{ "empty message", S(""), S(".\r\n") },
	{ "one line", S("a\r\n"), S("a\r\n.\r\n") },
	{ "line without an end", S("a"), S("a\r\n.\r\n") },
	{ "empty line", S("\r\n"), S("\r\n.\r\n") },
	{ "dot", S(".\r\n"), S("..\r\n.\r\n") },
	{ "dot without an end", S("."), S("..\r\n.\r\n") },
	{ "two dots", S("..\r\n"), S("...\r\n.\r\n") },
	{ "dot at each line", S(".a\r\n.\r\n..b\r\n"),
	    S("..a\r\n..\r\n...b\r\n.\r\n") },
	{ "dot within a line", S("a.b.\r\n"), S("a.b.\r\n.\r\n") },
	{ "end of data inside", S("a\r\n.\r\nMAIL FROM:<x@y>\r\n"),
	    S("a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n") },
	{ "lone LF", S("a\nb\r\n"), S("a b\r\n.\r\n") },
	{ "lone CR", S("a\rb\r\n"), S("a b\r\n.\r\n") },
	{ "NUL", S("a\0b\r\n"), S("a b\r\n.\r\n") },
	{ "LF . LF", S("a\n.\nb\r\n"), S("a . b\r\n.\r\n") },
	{ "LF . CRLF", S("a\n.\r\nb\r\n"), S("a .\r\nb\r\n.\r\n") },
	{ "CR . CR", S("a\r.\rb\r\n"), S("a . b\r\n.\r\n") },
	{ "CRLF . LF", S("a\r\n.\nb\r\n"), S("a\r\n.. b\r\n.\r\n") },
	{ "CRLF . CR", S("a\r\n.\rb\r\n"), S("a\r\n.. b\r\n.\r\n") },
	{ "CR CRLF", S("a\r\r\n.\r\n"), S("a \r\n..\r\n.\r\n") },
	{ "CRLF LF . CRLF", S("a\r\n\n.\r\n"), S("a\r\n .\r\n.\r\n") },
	{ "CRLF CR . CRLF", S("a\r\n\r.\r\n"), S("a\r\n .\r\n.\r\n") },
	{ "CRLF NUL . CRLF", S("a\r\n\0.\r\n"), S("a\r\n .\r\n.\r\n") },
	{ "LF at the start", S("\n.\r\n"), S(" .\r\n.\r\n") },
	{ "CR at the end", S("a\r"), S("a \r\n.\r\n") },
	{ "CR only", S("\r"), S(" \r\n.\r\n") },
	{ "LF at the end", S("a\n"), S("a \r\n.\r\n") },
	{ "NUL at the end", S("a\0"), S("a \r\n.\r\n") },
	{ "LF CR", S("a\n\r"), S("a  \r\n.\r\n") },
	{ "8-bit passes", S("\xe4\r\n"), S("\xe4\r\n.\r\n") },
};

struct outcome {
	struct stuffer s;
	char out[4096];
	size_t n;
};

static void
feed(struct outcome *o, const char *in, size_t n)
{
	char *piece = exact(in, n), *out = malloc(STUFF_ROOM(n));
	size_t len;

	assert_non_null(out);
	len = stuff_write(&o->s, piece, n, out);
	assert_true(len <= STUFF_ROOM(n));
	memcpy(o->out + o->n, out, len);
	o->n += len;
	free(piece);
	free(out);
}

static void
begin(struct outcome *o)
{
	stuff_init(&o->s);
	o->n = 0;
}

static void
end(struct outcome *o)
{
	char last[STUFF_END];
	size_t n = stuff_end(&o->s, last);

	assert_true(n <= sizeof(last));
	memcpy(o->out + o->n, last, n);
	o->n += n;
}

static void
whole(void **state)
{
	const struct row *t = *state;
	struct outcome o;

	begin(&o);
	feed(&o, t->in, t->n);
	end(&o);
	assert_int_equal(o.n, t->out_n);
	assert_memory_equal(o.out, t->out, t->out_n);
}

static void
cut_everywhere(void **state)
{
	const struct row *t = *state;
	struct outcome o;

	for (size_t i = 0; i <= t->n; i++)
		for (size_t j = i; j <= t->n; j++) {
			begin(&o);
			feed(&o, t->in, i);
			feed(&o, t->in + i, j - i);
			feed(&o, t->in + j, t->n - j);
			end(&o);
			assert_int_equal(o.n, t->out_n);
			assert_memory_equal(o.out, t->out, t->out_n);
		}
}

/* What must be the message at the other end: lone line ends are blanks. */
static size_t
cleaned(const char *s, size_t n, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bool cr = s[i] == '\r' && i + 1 < n && s[i + 1] == '\n';
		bool lf = s[i] == '\n' && i > 0 && s[i - 1] == '\r';
		bool stray = (s[i] == '\r' && !cr) || (s[i] == '\n' && !lf) ||
		    s[i] == '\0';

		out[len++] = stray ? ' ' : s[i];
	}
	if (len > 0 && (len < 2 || memcmp(out + len - 2, "\r\n", 2) != 0)) {
		out[len++] = '\r';
		out[len++] = '\n';
	}
	return len;
}

/* The server's reader must find just the message, and the end. */
static void
assert_round_trip(const struct outcome *o, const char *s, size_t n)
{
	char want[4096], got[4096];
	struct data_reader r;
	size_t used, len, want_len = cleaned(s, n, want);

	data_init(&r);
	assert_int_equal(
	    data_read(&r, o->out, o->n, &used, got, &len), DATA_END);
	assert_int_equal(used, o->n);
	assert_int_equal(r.fault, DATA_CLEAN);
	assert_int_equal(len, want_len);
	assert_memory_equal(got, want, len);
}

static void
every_short_input(void **state)
{
	static const char alphabet[] = { '\r', '\n', '.', 'a', '\0' };
	struct outcome o, bytes;
	char s[8];
	size_t n = 0;

	(void)state;
	memset(s, 0, sizeof(s));
	do {
		begin(&o);
		feed(&o, s, n);
		end(&o);
		assert_round_trip(&o, s, n);
		begin(&bytes);
		for (size_t i = 0; i < n; i++)
			feed(&bytes, s + i, 1);
		end(&bytes);
		assert_int_equal(bytes.n, o.n);
		assert_memory_equal(bytes.out, o.out, o.n);
	} while (next_string(s, &n, 7, alphabet, sizeof(alphabet)));
}

static void
random_long_inputs(void **state)
{
	static const char pieces[][8] = { "\r\n", "\r\n.", "..", "abcdef", "x",
		"\r\n\r\n", "\r", "\n", "" };
	char s[400];

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t n = 0, limit = (size_t)rand() % 300,
		       kinds = round % 3 == 0 ? COUNT(pieces) : 6;
		struct outcome o;

		while (n < limit) {
			size_t k = (size_t)rand() % kinds;
			size_t len = k == 8 ? 1 : strlen(pieces[k]);

			memcpy(s + n, pieces[k], len);
			n += len;
		}
		begin(&o);
		for (size_t i = 0; i < n;) {
			size_t k = (size_t)rand() % (n - i + 1);

			feed(&o, s + i, k);
			i += k;
		}
		end(&o);
		assert_round_trip(&o, s, n);
	}
}

static void
can_be_used_again(void **state)
{
	struct outcome o;

	(void)state;
	begin(&o);
	feed(&o, S("a\r"));
	end(&o);
	o.n = 0;
	feed(&o, S(".\r\n"));
	end(&o);
	assert_int_equal(o.n, 7);
	assert_memory_equal(o.out, "..\r\n.\r\n", 7);
}

int
main(void)
{
	ADD_TABLE(rows, whole);
	for (size_t i = 0; i < COUNT(rows); i++) {
		static char names[COUNT(rows)][80];

		snprintf(names[i], sizeof(names[i]), "%s, cut", rows[i].name);
		add(names[i], cut_everywhere, &rows[i]);
	}
	add("every input of up to 7 bytes", every_short_input, NULL);
	add("long inputs at random", random_long_inputs, NULL);
	add("a second message", can_be_used_again, NULL);
	return run_cases("mail/stuff");
}
