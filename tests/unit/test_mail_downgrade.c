/*
 * 8-bit messages made 7-bit: what changes, what stays byte for byte, and
 * what cannot be done.
 */
#include "test_mail.h"

#include "mail/downgrade.h"
#include "mail/lines.h"

#define U     "\xc3\xbc" /* one letter, two bytes */
#define QP    "Content-Transfer-Encoding: quoted-printable\r\n"
#define B64   "Content-Transfer-Encoding: base64\r\n"
#define L7    "Content-Transfer-Encoding: 7bit\r\n"
#define L8    "Content-Transfer-Encoding: 8bit\r\n"
#define MIME  "MIME-Version: 1.0\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"
#define INNER "Content-Type: multipart/alternative; boundary=c\r\n"

struct row {
	const char *name, *in;
	size_t n;
	const char *out; /* NULL: it is 7-bit already */
};

static const struct row rows[] = {
	{ "7-bit text", S("Subject: x\r\n\r\nhello\r\n"), NULL },
	{ "empty message", S(""), NULL },
	{ "header only", S("Subject: x\r\n"), NULL },
	{ "7-bit text labelled 8-bit", S(MIME PLAIN L8 "\r\nhello\r\n"), NULL },
	{ "7-bit multipart, malformed", S(MIME MIXED "\r\n--b\r\nx\r\n"),
	    NULL },
	{ "7-bit, signed",
	    S("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n"
	      "x\r\n--b--\r\n"),
	    NULL },

	{ "text labelled 8-bit", S(MIME PLAIN L8 "\r\nh" U "llo\r\n"),
	    MIME PLAIN QP "\r\nh=C3=BCllo\r\n" },
	{ "text labelled binary",
	    S(MIME PLAIN "Content-Transfer-Encoding: binary\r\n\r\n" U "\r\n"),
	    MIME PLAIN QP "\r\n=C3=BC\r\n" },
	{ "text labelled 7-bit", S(MIME PLAIN L7 "\r\n" U "\r\n"),
	    MIME PLAIN QP "\r\n=C3=BC\r\n" },
	{ "text without a label", S(MIME PLAIN "\r\n" U "\r\n"),
	    MIME PLAIN QP "\r\n=C3=BC\r\n" },
	{ "label between other fields",
	    S("A: b\r\n" L8 "C: d\r\n" MIME PLAIN "\r\n" U "\r\n"),
	    "A: b\r\n" QP "C: d\r\n" MIME PLAIN "\r\n=C3=BC\r\n" },
	{ "folded label",
	    S(MIME PLAIN "content-transfer-encoding :\r\n 8bit\r\n (x)\r\n"
			 "A: b\r\n\r\n" U "\r\n"),
	    MIME PLAIN QP "A: b\r\n\r\n=C3=BC\r\n" },
	{ "not MIME at all", S("Subject: x\r\n\r\n" U "\r\n"),
	    "Subject: x\r\n" MIME
	    "Content-Type: text/plain; charset=unknown-8bit\r\n" QP
	    "\r\n=C3=BC\r\n" },
	{ "no MIME-Version", S(PLAIN L8 "\r\n" U "\r\n"),
	    PLAIN QP MIME "\r\n=C3=BC\r\n" },
	{ "no header", S("\r\n" U "\r\n"),
	    MIME "Content-Type: text/plain; charset=unknown-8bit\r\n" QP
		 "\r\n=C3=BC\r\n" },
	{ "text without a line end", S(MIME PLAIN L8 "\r\n" U),
	    MIME PLAIN QP "\r\n=C3=BC" },
	{ "text with blanks and equals signs",
	    S(MIME PLAIN L8 "\r\na = " U " \r\n.\r\n"),
	    MIME PLAIN QP "\r\na =3D =C3=BC=20\r\n.\r\n" },
	{ "not text", S(MIME "Content-Type: image/png\r\n\r\n\x89PNG\x01\r\n"),
	    MIME "Content-Type: image/png\r\n" B64 "\r\niVBORwENCg==\r\n" },
	{ "global message (RFC 6532)",
	    S(MIME "Content-Type: message/global\r\n\r\n" U "\r\n"),
	    MIME "Content-Type: message/global\r\n" B64 "\r\nw7wNCg==\r\n" },
	{ "application/json is not text",
	    S(MIME "Content-Type: application/json\r\n" L8 "\r\n\"" U "\"\r\n"),
	    MIME "Content-Type: application/json\r\n" B64 "\r\nIsO8Ig0K\r\n" },

	{ "one part of two",
	    S(MIME MIXED "\r\n--b\r\n" PLAIN L8 "\r\n" U "\r\n--b\r\n"
			 "Content-Type: text/html\r\n\r\nx = y \r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b\r\n"
		       "Content-Type: text/html\r\n\r\nx = y \r\n--b--\r\n" },
	{ "multipart labelled 8-bit",
	    S(MIME MIXED L8 "\r\n--b\r\n" PLAIN L8 "\r\n" U "\r\n--b--\r\n"),
	    MIME MIXED L7 "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b--\r\n" },
	{ "multipart labelled 7-bit stays",
	    S(MIME MIXED L7 "\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b--\r\n"),
	    MIME MIXED L7 "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b--\r\n" },
	{ "labels of parts that need nothing stay",
	    S(MIME MIXED L8 "\r\n--b\r\n" L8 "\r\nx\r\n--b\r\n" PLAIN "\r\n" U
			    "\r\n--b--\r\n"),
	    MIME MIXED L7 "\r\n--b\r\n" L8 "\r\nx\r\n--b\r\n" PLAIN QP
			  "\r\n=C3=BC\r\n--b--\r\n" },
	{ "part without a header",
	    S(MIME MIXED "\r\n--b\r\n\r\n" U "\r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\nContent-Type: text/plain; "
		       "charset=unknown-8bit\r\n" QP
		       "\r\n=C3=BC\r\n--b--\r\n" },
	{ "preamble and epilogue stay",
	    S(MIME MIXED "\r\n pre = \r\n--bb\r\n--b\r\n" PLAIN "\r\n" U
			 "\r\n--b--\r\nepi = \r\n--b\r\n"),
	    MIME MIXED "\r\n pre = \r\n--bb\r\n--b\r\n" PLAIN QP
		       "\r\n=C3=BC\r\n--b--\r\nepi = \r\n--b\r\n" },
	{ "blanks behind delimiters",
	    S(MIME MIXED "\r\n--b \t\r\n" PLAIN "\r\n" U "\r\n--b-- \r\n"),
	    MIME MIXED "\r\n--b \t\r\n" PLAIN QP "\r\n=C3=BC\r\n--b-- \r\n" },
	{ "lines that are no delimiters",
	    S(MIME MIXED
		"\r\n--b\r\n" PLAIN "\r\n" U
		"\r\n--bx-\r\n--bx\r\n --b\r\n--b-\r\n--b--x\r\n--B\r\n-b\r\n"
		"--\r\n--b--\r\n"),
	    MIME MIXED
	    "\r\n--b\r\n" PLAIN QP
	    "\r\n=C3=BC\r\n--bx-\r\n--bx\r\n --b\r\n--b-\r\n--b--x\r\n--B"
	    "\r\n-b\r\n--\r\n--b--\r\n" },
	{ "last part not closed",
	    S(MIME MIXED "\r\n--b\r\n" PLAIN "\r\n" U "\r\n"),
	    MIME MIXED "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n" },
	{ "delimiter cut off",
	    S(MIME MIXED "\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b--"),
	    MIME MIXED "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b--" },
	{ "empty parts",
	    S(MIME MIXED "\r\n--b\r\n--b\r\n\r\n--b\r\n" PLAIN "\r\n--b\r\n"
			 "\r\n\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\n--b\r\n\r\n--b\r\n" PLAIN "\r\n--b\r\n"
		       "\r\n\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b--\r\n" },
	{ "quoted boundary",
	    S("Content-Type: multipart/mixed;\r\n boundary=\"=_x y\"\r\n" MIME
	      "\r\n--=_x y\r\n" PLAIN "\r\n" U "\r\n--=_x y--\r\n"),
	    "Content-Type: multipart/mixed;\r\n boundary=\"=_x y\"\r\n" MIME
	    "\r\n--=_x y\r\n" PLAIN QP "\r\n=C3=BC\r\n--=_x y--\r\n" },
	{ "nested",
	    S(MIME MIXED L8 "\r\n--b\r\n" INNER L8 "\r\n--c\r\n" PLAIN L8
			    "\r\n" U "\r\n--c\r\nContent-Type: text/html\r\n"
			    "\r\n<" U ">\r\n--c--\r\n\r\n--b\r\n"
			    "Content-Type: image/x\r\n\r\n\xff\r\n--b--\r\n"),
	    MIME MIXED L7 "\r\n--b\r\n" INNER L7 "\r\n--c\r\n" PLAIN QP
			  "\r\n=C3=BC\r\n--c\r\nContent-Type: text/html\r\n" QP
			  "\r\n<=C3=BC>\r\n--c--\r\n\r\n--b\r\n"
			  "Content-Type: image/x\r\n" B64
			  "\r\n/w==\r\n\r\n--b--\r\n" },
	{ "inner multipart ended by the outer delimiter",
	    S(MIME MIXED "\r\n--b\r\n" INNER "\r\n--c\r\n" PLAIN "\r\n" U
			 "\r\n--b\r\n" PLAIN "\r\n" U "\r\n--c\r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\n" INNER "\r\n--c\r\n" PLAIN QP
		       "\r\n=C3=BC\r\n--b\r\n" PLAIN QP
		       "\r\n=C3=BC\r\n--c\r\n--b--\r\n" },
	{ "message in a message",
	    S(MIME MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n" L8
			 "\r\nSubject: y\r\n" MIME PLAIN L8 "\r\n" U
			 "\r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n" L7
		       "\r\nSubject: y\r\n" MIME PLAIN QP
		       "\r\n=C3=BC\r\n--b--\r\n" },
	{ "message in a message without MIME",
	    S(MIME MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
			 "Subject: y\r\n\r\n" U "\r\n--b--\r\n"),
	    MIME MIXED
	    "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n" MIME
	    "Content-Type: text/plain; charset=unknown-8bit\r\n" QP
	    "\r\n=C3=BC\r\n--b--\r\n" },
	{ "multipart in a message in a multipart",
	    S(MIME MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" INNER
			 "\r\n--c\r\n\r\nx\r\n--c\r\n" PLAIN "\r\n" U
			 "\r\n--c--\r\n--b--\r\n"),
	    MIME MIXED
	    "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" INNER MIME
	    "\r\n--c\r\n\r\nx\r\n--c\r\n" PLAIN QP
	    "\r\n=C3=BC\r\n--c--\r\n--b--\r\n" },
	{ "digest",
	    S(MIME "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n"
		   "\r\nSubject: y\r\n" MIME PLAIN "\r\n" U "\r\n--b--\r\n"),
	    MIME "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n"
		 "\r\nSubject: y\r\n" MIME PLAIN QP "\r\n=C3=BC\r\n--b--\r\n" },
	{ "signed part beside another",
	    S(MIME MIXED
		"\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n"
		"--c\r\n\r\nx\r\n--c--\r\n--b\r\n" PLAIN "\r\n" U
		"\r\n--b--\r\n"),
	    MIME MIXED
	    "\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n"
	    "--c\r\n\r\nx\r\n--c--\r\n--b\r\n" PLAIN QP
	    "\r\n=C3=BC\r\n--b--\r\n" },
	{ "encoded parts stay",
	    S(MIME MIXED "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b\r\n" B64
			 "\r\nw7w=\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\n" PLAIN QP "\r\n=C3=BC\r\n--b\r\n" B64
		       "\r\nw7w=\r\n--b\r\n" PLAIN QP
		       "\r\n=C3=BC\r\n--b--\r\n" },
	{ "delimiter within a long line does not begin one",
	    S(MIME MIXED "\r\n--b\r\n" PLAIN "\r\n" U
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			 "xxxxxxxxxxxxxxxxxxxxxxxxxx--b\r\n--b--\r\n"),
	    MIME MIXED "\r\n--b\r\n" PLAIN QP
		       "\r\n=C3=BCxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		       "xxxxxxxxxxxxxxxxxxxxxxxxxxx=\r\n=2D-b\r\n--b--\r\n" },
};

struct bad {
	const char *name, *in;
	size_t n;
	const char *problem;
};

static const struct bad bad[] = {
	{ "8-bit header", S("Subject: " U "\r\n\r\nx\r\n"),
	    "8-bit text in a header" },
	{ "8-bit header, cut", S("Subject: " U), "8-bit text in a header" },
	{ "8-bit continuation", S("Subject: x\r\n " U "\r\n\r\nx\r\n"),
	    "8-bit text in a header" },
	{ "8-bit header of a part",
	    S(MIME MIXED "\r\n--b\r\nContent-Type: x/y; name=\"" U "\"\r\n"
			 "\r\nx\r\n--b--\r\n"),
	    "8-bit text in a header" },
	{ "8-bit header of an inner message",
	    S(MIME "Content-Type: message/rfc822\r\n\r\nSubject: " U
		   "\r\n\r\nx\r\n"),
	    "8-bit text in a header" },
	{ "no header and no empty line", S(U "\r\n"),
	    "8-bit text in a header" },
	{ "text in the header", S("hello\r\n\r\n" U "\r\n"),
	    "8-bit text behind a malformed header" },
	{ "text in a part's header",
	    S(MIME MIXED "\r\n--b\r\nhello\r\n\r\n" U "\r\n--b--\r\n"),
	    "8-bit text behind a malformed header" },
	{ "continuation of nothing", S(" x\r\n\r\n" U "\r\n"),
	    "8-bit text behind a malformed header" },
	{ "malformed type", S(MIME "Content-Type: text\r\n\r\n" U "\r\n"),
	    "8-bit text behind a malformed header" },
	{ "two types", S(MIME PLAIN PLAIN "\r\n" U "\r\n"),
	    "8-bit text behind a malformed header" },
	{ "two labels", S(MIME PLAIN L8 L8 "\r\n" U "\r\n"),
	    "8-bit text behind a malformed header" },
	{ "preamble", S(MIME MIXED "\r\n" U "\r\n--b\r\n\r\nx\r\n--b--\r\n"),
	    "8-bit text beside the parts" },
	{ "epilogue", S(MIME MIXED "\r\n--b\r\n\r\nx\r\n--b--\r\n" U "\r\n"),
	    "8-bit text beside the parts" },
	{ "part behind the last one",
	    S(MIME MIXED "\r\n--b--\r\n--b\r\n\r\n" U "\r\n--b--\r\n"),
	    "8-bit text beside the parts" },
	{ "no boundary",
	    S(MIME "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n" U
		   "\r\n--b--\r\n"),
	    "8-bit text in a malformed multipart" },
	{ "two boundaries",
	    S(MIME "Content-Type: multipart/mixed; boundary=b; boundary=c"
		   "\r\n\r\n--b\r\n\r\n" U "\r\n--b--\r\n"),
	    "8-bit text behind a malformed header" },
	{ "multipart that is encoded",
	    S(MIME MIXED B64 "\r\n--b\r\n\r\n" U "\r\n--b--\r\n"),
	    "8-bit text in an encoded part" },
	{ "signed",
	    S(MIME "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
		   "\r\n" U "\r\n--b--\r\n"),
	    "8-bit text in a signed part" },
	{ "encrypted",
	    S(MIME "Content-Type: multipart/encrypted; boundary=b\r\n\r\n"
		   "--b\r\n\r\n" U "\r\n--b--\r\n"),
	    "8-bit text in a signed part" },
	{ "signed, nested",
	    S(MIME "Content-Type: multipart/signed; boundary=a\r\n\r\n--a\r\n"
		   "Content-Type: message/rfc822\r\n\r\n" MIXED
		   "\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b--\r\n--a--\r\n"),
	    "8-bit text in a signed part" },
	{ "text that is encoded", S(MIME PLAIN QP "\r\n=C3=BC " U "\r\n"),
	    "8-bit text in an encoded part" },
	{ "base64 with 8-bit", S(MIME PLAIN B64 "\r\n" U "\r\n"),
	    "8-bit text in an encoded part" },
	{ "unknown encoding",
	    S(MIME PLAIN "Content-Transfer-Encoding: x-u\r\n\r\n" U "\r\n"),
	    "8-bit text in an encoded part" },
	{ "message that is encoded",
	    S(MIME "Content-Type: message/rfc822\r\n" B64 "\r\nA: b\r\n\r\n" U
		   "\r\n"),
	    "8-bit text in an encoded part" },
	{ "delivery status",
	    S(MIME "Content-Type: message/delivery-status\r\n\r\n" U "\r\n"),
	    "8-bit text in a message part" },
	{ "partial message",
	    S(MIME "Content-Type: message/partial; id=x\r\n\r\n" U "\r\n"),
	    "8-bit text in a message part" },
	{ "one of two",
	    S(MIME MIXED "\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b\r\n" QP "\r\n" U
			 "\r\n--b--\r\n"),
	    "8-bit text in an encoded part" },
};

struct memory {
	const char *s;
	size_t n;
	size_t piece;   /* at most as much at a time */
	size_t fail_at; /* offset at which reading fails */
};

static ssize_t
from_memory(void *arg, uint64_t offset, char *out, size_t n)
{
	const struct memory *m = arg;

	assert_true(n > 0);
	if (offset >= m->fail_at)
		return -1;
	if (offset >= m->n)
		return 0;
	if (n > m->n - offset)
		n = (size_t)(m->n - offset);
	if (n > m->piece)
		n = m->piece;
	memcpy(out, m->s + offset, n);
	return (ssize_t)n;
}

static struct downgrade d;
static char got[1 << 20];

/* All of the converted message, in buffers of this size. */
static size_t
convert(size_t size)
{
	char *buf = malloc(size);
	size_t len = 0;
	ssize_t n;

	assert_non_null(buf);
	while ((n = downgrade_read(&d, buf, size)) > 0) {
		assert_true((size_t)n <= size && (size_t)n < sizeof(got) - len);
		memcpy(got + len, buf, (size_t)n);
		len += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(downgrade_read(&d, buf, size), 0);
	free(buf);
	got[len] = '\0';
	return len;
}

static void
converts(void **state)
{
	const struct row *t = *state;
	char *in = exact(t->in, t->n);

	for (size_t piece = 1; piece <= t->n + 1; piece++) {
		struct memory m = { in, t->n, piece, SIZE_MAX };
		enum downgrade_result r =
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m);

		assert_null(d.problem);
		assert_int_equal(
		    r, t->out != NULL ? DOWNGRADE_READY : DOWNGRADE_NONE);
		if (r == DOWNGRADE_NONE)
			continue;
		assert_int_equal(
		    convert(DOWNGRADE_OUT_MIN + piece), strlen(t->out));
		assert_string_equal(got, t->out);
	}
	free(in);
}

static void
refuses(void **state)
{
	const struct bad *t = *state;
	char *in = exact(t->in, t->n);

	for (size_t piece = 1; piece <= t->n + 1; piece++) {
		struct memory m = { in, t->n, piece, SIZE_MAX };

		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    DOWNGRADE_CANNOT);
		assert_string_equal(d.problem, t->problem);
	}
	free(in);
}

#define LB    "Content-Transfer-Encoding: binary\r\n"
#define IMAGE "Content-Type: image/png\r\n"
#define ALL   (DOWNGRADE_8BIT | DOWNGRADE_BINARY)

/* RFC 3030 3: for a server without BINARYMIME. */
static const struct binary {
	const char *name;
	unsigned what;
	const char *in;
	size_t n;
	const char *out, *problem; /* neither: it is fit */
} binaries[] = {
	{ "lines stay", ALL, S(MIME PLAIN "\r\nx\r\n"), NULL, NULL },
	{ "8-bit lines stay where they may", DOWNGRADE_BINARY,
	    S(MIME PLAIN L8 "\r\n" U "\r\n"), NULL, NULL },
	{ "a last line without an end is one", ALL, S(MIME PLAIN "\r\nx"), NULL,
	    NULL },
	{ "text labelled binary", ALL, S(MIME PLAIN LB "\r\nx\r\n"),
	    MIME PLAIN QP "\r\nx\r\n", NULL },
	{ "nothing, labelled binary", ALL, S(MIME PLAIN LB "\r\n"),
	    MIME PLAIN QP "\r\n", NULL },
	{ "a bare LF", DOWNGRADE_BINARY, S(MIME PLAIN "\r\na\nb\r\n"),
	    MIME PLAIN B64 "\r\nYQpiDQo=\r\n", NULL },
	{ "a bare CR", ALL, S(MIME PLAIN "\r\na\rb\r\n"),
	    MIME PLAIN B64 "\r\nYQ1iDQo=\r\n", NULL },
	{ "a CR at the end", ALL, S(MIME PLAIN "\r\na\r"),
	    MIME PLAIN B64 "\r\nYQ0=\r\n", NULL },
	{ "a NUL", ALL, S(MIME IMAGE LB "\r\n\0\xff"),
	    MIME IMAGE B64 "\r\nAP8=\r\n", NULL },
	{ "one part of two, and the label around them", ALL,
	    S(MIME LB MIXED "\r\n--b\r\n" IMAGE LB
			    "\r\n\0\n--b\n\r\n--b\r\n" PLAIN
			    "\r\nx\r\n--b--\r\n"),
	    MIME L7 MIXED "\r\n--b\r\n" IMAGE B64
			  "\r\nAAotLWIK\r\n\r\n--b\r\n" PLAIN
			  "\r\nx\r\n--b--\r\n",
	    NULL },
	{ "the label around 8-bit parts", DOWNGRADE_BINARY,
	    S(MIME LB MIXED "\r\n--b\r\n" PLAIN L8 "\r\n" U "\r\n--b--\r\n"),
	    MIME L8 MIXED "\r\n--b\r\n" PLAIN L8 "\r\n" U "\r\n--b--\r\n",
	    NULL },
	{ "in a header", ALL, S("A: b\nC: d\r\n\r\nx\r\n"), NULL,
	    "binary data in a header" },
	{ "beside the parts", ALL,
	    S(MIME MIXED "\r\na\rb\r\n--b\r\n\r\nx\r\n--b--\r\n"), NULL,
	    "binary data beside the parts" },
	{ "in a signed part", ALL,
	    S(MIME "Content-Type: multipart/signed; "
		   "boundary=b\r\n\r\n--b\r\n" IMAGE LB "\r\n\0\r\n--b--\r\n"),
	    NULL, "binary data in a signed part" },
	{ "in an encoded part", ALL, S(MIME IMAGE B64 "\r\nAA\n==\r\n"), NULL,
	    "binary data in an encoded part" },
};

static void
makes_lines(void **state)
{
	const struct binary *t = *state;
	char *in = exact(t->in, t->n);
	bool ignored;

	for (size_t piece = 1; piece <= t->n + 1; piece++) {
		struct memory m = { in, t->n, piece, SIZE_MAX };
		enum downgrade_result r =
		    downgrade_plan(&d, t->what, from_memory, &m);

		assert_int_equal(r,
		    t->problem != NULL   ? DOWNGRADE_CANNOT
			: t->out != NULL ? DOWNGRADE_READY
					 : DOWNGRADE_NONE);
		if (t->problem != NULL)
			assert_string_equal(d.problem, t->problem);
		if (r != DOWNGRADE_READY)
			continue;
		assert_int_equal(
		    convert(DOWNGRADE_OUT_MIN + piece), strlen(t->out));
		assert_string_equal(got, t->out);
		assert_true(lines_clean(got, strlen(got), &ignored));
	}
	free(in);
}

/* What is converted needs nothing more. */
static void
is_done_then(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory m = { rows[i].out, 0, 100, SIZE_MAX };

		if (rows[i].out == NULL)
			continue;
		m.n = strlen(rows[i].out);
		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    DOWNGRADE_NONE);
	}
}

static void
reports_a_failing_source(void **state)
{
	static const char in[] =
	    MIME MIXED "\r\n--b\r\n" PLAIN "\r\n" U "\r\n--b--\r\n";
	char buf[DOWNGRADE_OUT_MIN];
	struct memory m = { in, sizeof(in) - 1, 7, SIZE_MAX };

	(void)state;
	for (size_t at = 0; at < sizeof(in) - 1; at++) {
		ssize_t n;

		m.fail_at = at;
		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    DOWNGRADE_ERROR);
		m.fail_at = SIZE_MAX;
		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    DOWNGRADE_READY);
		m.fail_at = at;
		while ((n = downgrade_read(&d, buf, sizeof(buf))) > 0)
			;
		assert_int_equal(n, -1);
	}
	/* A message that became shorter in between. */
	m.fail_at = SIZE_MAX;
	assert_int_equal(downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
	    DOWNGRADE_READY);
	m.n = 20;
	assert_int_equal(downgrade_read(&d, buf, sizeof(buf)), -1);
}

static char big[1 << 18];

static size_t
text(size_t at, const char *s)
{
	assert_true(strlen(s) < sizeof(big) - at);
	strcpy(big + at, s);
	return at + strlen(s);
}

static void
bounds_the_parts(void **state)
{
	struct memory m = { big, 0, 8192, SIZE_MAX };

	(void)state;
	/* Two edits for a part with a type, so 256 parts fill the list. */
	for (size_t parts = 256; parts <= 257; parts++) {
		m.n = text(0, MIME MIXED "\r\n");
		for (size_t i = 0; i < parts; i++)
			m.n = text(m.n, "--b\r\n" PLAIN "\r\n" U "\r\n");
		m.n = text(m.n, "--b--\r\n");
		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    parts == 256 ? DOWNGRADE_READY : DOWNGRADE_CANNOT);
		if (parts == 256)
			assert_int_equal(
			    convert(1000), m.n + 256 * (strlen(QP) + 4));
		else
			assert_string_equal(d.problem, "too many parts");
	}
}

static void
bounds_the_depth(void **state)
{
	struct memory m = { big, 0, 8192, SIZE_MAX };

	(void)state;
	for (int depth = 32; depth <= 33; depth++) {
		m.n = 0;
		for (int i = 0; i < depth; i++)
			m.n = text(m.n, "Content-Type: message/rfc822\r\n\r\n");
		m.n = text(m.n, PLAIN "\r\nx\r\n");
		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    DOWNGRADE_NONE);
		m.n = text(m.n, U);
		assert_int_equal(
		    downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
		    depth == 32 ? DOWNGRADE_READY : DOWNGRADE_CANNOT);
	}
}

static void
reads_long_lines(void **state)
{
	struct memory m = { big, 0, 8192, SIZE_MAX };
	size_t start, len;

	(void)state;
	/* One line of 100,000 bytes, the odd one last. */
	start = m.n = text(0, MIME PLAIN "\r\n");
	memset(big + m.n, 'x', 100000);
	m.n = text(m.n + 100000, U "\r\n");
	assert_int_equal(downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
	    DOWNGRADE_READY);
	len = convert(4096);
	assert_int_equal(
	    len, start + strlen(QP) + 100000 + 6 + 2 + 100006 / 75 * 3);
	/* A type that is longer than what is kept is not to be trusted. */
	m.n = text(0, MIME "Content-Type: text/plain; x=\"");
	memset(big + m.n, 'x', 3000);
	m.n = text(m.n + 3000, "\"\r\n\r\n" U "\r\n");
	assert_int_equal(downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
	    DOWNGRADE_CANNOT);
	assert_string_equal(d.problem, "8-bit text behind a malformed header");
	/* The same, folded. */
	m.n = text(0, MIME "Content-Type: text/plain; x=\"");
	for (int i = 0; i < 30; i++) {
		memset(big + m.n, 'x', 100);
		m.n = text(m.n + 100, "\r\n ");
	}
	m.n = text(m.n, "\"\r\n\r\n" U "\r\n");
	assert_int_equal(downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
	    DOWNGRADE_CANNOT);
	/* Other fields may be that long. */
	m.n = text(0, MIME PLAIN "Subject: ");
	memset(big + m.n, 'x', 3000);
	m.n = text(m.n + 3000, "\r\n\r\n" U "\r\n");
	assert_int_equal(downgrade_plan(&d, DOWNGRADE_8BIT, from_memory, &m),
	    DOWNGRADE_READY);
}

int
main(void)
{
	ADD_TABLE(rows, converts);
	ADD_TABLE(bad, refuses);
	ADD_TABLE(binaries, makes_lines);
	add("a converted message needs nothing more", is_done_then, NULL);
	add("a source that fails", reports_a_failing_source, NULL);
	add("512 places to change", bounds_the_parts, NULL);
	add("32 levels", bounds_the_depth, NULL);
	add("very long lines", reads_long_lines, NULL);
	return run_cases("mail/downgrade");
}
