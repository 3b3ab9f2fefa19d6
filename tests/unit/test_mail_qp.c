/* Quoted-printable: what must be encoded, and where lines break. */
#include "test_mail.h"

#include "mail/qp.h"

struct row {
	const char *name, *in;
	size_t n;
	const char *out;
};

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static const struct row rows[] = {
	{ "nothing", S(""), "" },
	{ "text", S("a b\r\n"), "a b\r\n" },
	{ "no line end", S("a"), "a" },
	{ "empty lines", S("\r\n\r\n"), "\r\n\r\n" },
	{ "equals sign", S("a=b\r\n"), "a=3Db\r\n" },
	{ "8-bit", S("\xc3\xbc\r\n"), "=C3=BC\r\n" },
	{ "controls", S("\x01\x7f\0\r\n"), "=01=7F=00\r\n" },
	{ "tab inside", S("a\tb\r\n"), "a\tb\r\n" },
	{ "blank at the end of a line", S("a \r\n"), "a=20\r\n" },
	{ "tab at the end of a line", S("a\t\r\n"), "a=09\r\n" },
	{ "blanks at the end of a line", S("a  \r\n"), "a =20\r\n" },
	{ "blank at the very end", S("a "), "a=20" },
	{ "blank line", S(" \r\n"), "=20\r\n" },
	{ "CR", S("a\rb\r\n"), "a=0Db\r\n" },
	{ "LF", S("a\nb\r\n"), "a=0Ab\r\n" },
	{ "CR CRLF", S("a\r\r\n"), "a=0D\r\n" },
	{ "CR at the very end", S("a\r"), "a=0D" },
	{ "blank and CR", S("a \rb"), "a =0Db" },
	{ "blank and CR at the very end", S("a \r"), "a =0D" },
	{ "line of 75", S(X70 "12345\r\n"), X70 "12345\r\n" },
	{ "line of 76", S(X70 "123456\r\n"), X70 "12345=\r\n6\r\n" },
	{ "line of 151", S(X70 "12345" X70 "123456\r\n"),
	    X70 "12345=\r\n" X70 "12345=\r\n6\r\n" },
	{ "8-bit does not fit", S(X70 "123\xff\r\n"), X70 "123=\r\n=FF\r\n" },
	{ "8-bit just fits", S(X70 "12\xff\r\n"), X70 "12=FF\r\n" },
	{ "blank at the end of 75", S(X70 "1234 \r\n"),
	    X70 "1234=\r\n=20\r\n" },
	{ "blank before a soft break", S(X70 "1234 56\r\n"),
	    X70 "1234 =\r\n56\r\n" },
	{ "hyphen begins a line", S("--x\r\n"), "--x\r\n" },
	{ "dot begins a line", S(".\r\n"), ".\r\n" },
	{ "hyphen behind a soft break", S(X70 "12345--x\r\n"),
	    X70 "12345=\r\n=2D-x\r\n" },
	{ "dot behind a soft break", S(X70 "12345.x\r\n"),
	    X70 "12345=\r\n=2Ex\r\n" },
	{ "hyphen on the line after", S(X70 "123456\r\n--x\r\n"),
	    X70 "12345=\r\n6\r\n--x\r\n" },
};

static size_t
encode(const char *in, size_t n, size_t cut, char *out)
{
	struct qp q;
	size_t len = 0;

	qp_init(&q);
	for (size_t i = 0; i < n; i += cut) {
		size_t k = n - i < cut ? n - i : cut;
		char *piece = exact(in + i, k), *room = malloc(QP_ROOM(k));
		size_t some;

		assert_non_null(room);
		some = qp_write(&q, piece, k, room);
		assert_true(some <= QP_ROOM(k));
		memcpy(out + len, room, some);
		len += some;
		free(piece);
		free(room);
	}
	len += qp_end(&q, out + len);
	out[len] = '\0';
	return len;
}

/* RFC 2045 6.7; asserts that it is well-formed. */
static size_t
decode(const char *s, size_t n, char *out)
{
	size_t len = 0, column = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		if (s[i] == '\r') {
			assert_true(i + 1 < n && s[i + 1] == '\n');
			assert_true(
			    i == 0 || (s[i - 1] != ' ' && s[i - 1] != '\t'));
			out[len++] = s[i++];
			out[len++] = '\n';
			column = 0;
			continue;
		}
		assert_true(++column <= 76);
		if (s[i] != '=') {
			assert_true(
			    (s[i] >= ' ' && s[i] <= '~') || s[i] == '\t');
			out[len++] = s[i];
			continue;
		}
		assert_true(i + 2 < n);
		if (s[i + 1] == '\r') {
			assert_int_equal(s[i + 2], '\n');
			assert_true(
			    i + 3 == n || (s[i + 3] != '-' && s[i + 3] != '.'));
			column = 0;
		} else {
			assert_int_equal(sscanf(s + i + 1, "%2X", &byte), 1);
			out[len++] = (char)byte;
			column += 2;
			assert_true(column <= 76);
		}
		i += 2;
	}
	return len;
}

static void
encodes(void **state)
{
	const struct row *t = *state;
	char out[1024], back[1024];

	for (size_t cut = 1; cut <= t->n + 1; cut++) {
		encode(t->in, t->n, cut, out);
		assert_string_equal(out, t->out);
	}
	assert_int_equal(decode(t->out, strlen(t->out), back), t->n);
	assert_memory_equal(back, t->in, t->n);
}

static void
round_trips(void **state)
{
	static const char bytes[] = "\r\n -.=x\xe4\t";
	static char in[400], out[4000], again[4000], back[4000];

	(void)state;
	srand(1);
	for (int round = 0; round < 5000; round++) {
		size_t n = (size_t)rand() % sizeof(in), len;

		for (size_t i = 0; i < n; i++)
			in[i] = rand() % 4 == 0
			    ? bytes[(size_t)rand() % (sizeof(bytes) - 1)]
			    : 'x';
		len = encode(in, n, n + 1, out);
		assert_int_equal(
		    encode(in, n, 1 + (size_t)rand() % 30, again), len);
		assert_memory_equal(out, again, len);
		assert_int_equal(decode(out, len, back), n);
		assert_memory_equal(back, in, n);
	}
}

int
main(void)
{
	ADD_TABLE(rows, encodes);
	add("decodes to what it was", round_trips, NULL);
	return run_cases("mail/qp");
}
