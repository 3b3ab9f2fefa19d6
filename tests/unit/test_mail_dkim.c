/* DKIM's reading of bodies and headers, however they are cut. */
#include "test_mail.h"

#include "mail/dkim.h"

struct text {
	size_t n;
	char s[65536];
};

static void
put(void *arg, const char *s, size_t n)
{
	struct text *t = arg;

	assert_true(n <= sizeof(t->s) - t->n);
	memcpy(t->s + t->n, s, n);
	t->n += n;
}

struct row {
	const char *name, *in;
	size_t n;
	const char *out;
};

/* The first ones are RFC 6376 3.4.5. */
static const struct row bodies[] = {
	{ "RFC 6376 3.4.5", S(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n" },
	{ "empty", S(""), "" },
	{ "one empty line", S("\r\n"), "" },
	{ "empty lines only", S("\r\n\r\n\r\n"), "" },
	{ "blank lines only", S(" \r\n\t\t\r\n  "), "" },
	{ "no line end", S("a"), "a\r\n" },
	{ "blanks at the very end", S("a \t"), "a\r\n" },
	{ "a blank line behind text", S("a\r\n \t \r\n"), "a\r\n" },
	{ "empty lines inside stay", S("a\r\n\r\n \r\nb\r\n"),
	    "a\r\n\r\n\r\nb\r\n" },
	{ "empty lines in front stay", S("\r\n\r\na\r\n"), "\r\n\r\na\r\n" },
	{ "ten empty lines inside",
	    S("a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb"),
	    "a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb\r\n" },
	{ "blanks inside a line", S("a \t b\tc  d\r\n"), "a b c d\r\n" },
	{ "a blank in front stays one", S("\t\ta\r\n b\r\n"), " a\r\n b\r\n" },
	{ "8-bit and dots", S(".\xe4.\r\n..\r\n"), ".\xe4.\r\n..\r\n" },
	{ "long words, eight at a time",
	    S("one two three four  five sixteen \r\nseven eig\tht nine ten "
	      "eleven abcdefg  hijklmn \topqrstu\r\nvwxyzab c d e f g h i \r\n"
	      "abcdefg \r\nabcdefgh\r\n"),
	    "one two three four five sixteen\r\nseven eig ht nine ten "
	    "eleven abcdefg hijklmn opqrstu\r\nvwxyzab c d e f g h i\r\n"
	    "abcdefg\r\nabcdefgh\r\n" },
	{ "a lone CR is a character", S("a\rb\r\r\n\rc \r d\r"),
	    "a\rb\r\r\n\rc \r d\r\r\n" },
	{ "a lone LF is a character", S("a\nb \n\n"), "a\nb \n\n\r\n" },
};

static const struct row fields[] = {
	{ "RFC 6376 3.4.5 A", S("A: X\r\n"), "a:X" },
	{ "RFC 6376 3.4.5 B", S("B : Y\t\r\n\tZ  \r\n"), "b:Y Z" },
	{ "no value", S("Cc:\r\n"), "cc:" },
	{ "a blank value", S("Cc: \t\r\n \r\n"), "cc:" },
	{ "no line end", S("Cc: x"), "cc:x" },
	{ "more colons", S("Subject : Re : a:b"), "subject:Re : a:b" },
	{ "case of the value stays", S("SUBJECT: ReLaXed"), "subject:ReLaXed" },
	{ "folded at once", S("To:\r\n a,\r\n\tb\r\n"), "to:a, b" },
	{ "8-bit", S("Subject: \xc3\xa4  \xc3\xb6\r\n"),
	    "subject:\xc3\xa4 \xc3\xb6" },
};

static void
body_is_read_so(void **state)
{
	const struct row *r = *state;
	static struct text out;
	struct dkim_body b;

	for (size_t step = 1; step <= r->n + 1; step++) {
		out.n = 0;
		dkim_body_init(&b, put, &out);
		for (size_t at = 0; at < r->n; at += step) {
			size_t n = r->n - at < step ? r->n - at : step;
			char *piece = exact(r->in + at, n);

			dkim_body_feed(&b, piece, n);
			free(piece);
		}
		dkim_body_end(&b);
		assert_int_equal(out.n, strlen(r->out));
		assert_memory_equal(out.s, r->out, out.n);
	}
}

static void
field_is_read_so(void **state)
{
	const struct row *r = *state;
	static struct text out;
	char *in = exact(r->in, r->n);

	out.n = 0;
	dkim_field(in, r->n, put, &out);
	free(in);
	assert_int_equal(out.n, strlen(r->out));
	assert_memory_equal(out.s, r->out, out.n);
}

static const struct {
	const char *name, *in;
	size_t n;
	const char *names, *out;
} headers[] = {
	{ "the usual order",
	    S("Received: x\r\nSubject: s\r\nFrom: a@b\r\nX-Y: z\r\n"
	      "To: c@d\r\n\r\nFrom: body\r\n"),
	    "From:From:To:To:Subject:Subject",
	    "from:a@b\r\nto:c@d\r\nsubject:s\r\n" },
	{ "no body", S("from: a@b\r\n"), "From:From", "from:a@b\r\n" },
	{ "no line end", S("FROM: a@b"), "From:From", "from:a@b\r\n" },
	{ "from the bottom up",
	    S("From: a@b\r\nList-Id: 1\r\nList-Id: 2\r\n\r\n"),
	    "From:From:List-Id:List-Id",
	    "from:a@b\r\nlist-id:2\r\nlist-id:1\r\n" },
	{ "of too many the last four, and none is forbidden",
	    S("Cc: 1\r\nCc: 2\r\nCc: 3\r\nCc: 4\r\nCc: 5\r\nFrom: a@b\r\n"),
	    "From:From:Cc:Cc:Cc:Cc",
	    "from:a@b\r\ncc:5\r\ncc:4\r\ncc:3\r\ncc:2\r\n" },
	{ "folded lines belong together",
	    S("Subject: x\r\n From: no\r\nFrom : a@b\r\n\r\n"),
	    "From:From:Subject:Subject", "from:a@b\r\nsubject:x From: no\r\n" },
};

static void
header_is_read_so(void **state)
{
	size_t i = (size_t)(uintptr_t)*state - 1;
	char *in = exact(headers[i].in, headers[i].n);
	static struct dkim_header h;
	static struct text out;

	assert_true(dkim_header_read(&h, in, headers[i].n));
	assert_string_equal(h.names, headers[i].names);
	out.n = 0;
	dkim_header_put(&h, put, &out);
	assert_int_equal(out.n, strlen(headers[i].out));
	assert_memory_equal(out.s, headers[i].out, out.n);
	free(in);
}

static void
without_from_nothing_is_signed(void **state)
{
	static struct dkim_header h;

	(void)state;
	assert_false(dkim_header_read(&h, S("To: a@b\r\n\r\nFrom: x@y\r\n")));
	assert_false(dkim_header_read(&h, S("")));
}

static void
the_author_is_the_first_mailbox(void **state)
{
	static const struct {
		const char *in, *domain;
	} rows[] = {
		{ "From: a@Example.ORG\r\n", "example.org" },
		{ "To: x\r\nFrom: \"A, b\" <a@one.example>,\r\n b@two.example",
		    "one.example" },
		{ "From: group: c@three.example;\r\n", "three.example" },
		{ "From: a@[192.0.2.1]\r\n", NULL },
		{ "From: nobody\r\n", NULL },
		{ "From:\r\n", NULL },
		{ "To: a@b.example\r\n\r\nFrom: a@c.example", NULL },
	};
	char domain[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool found =
		    dkim_author(rows[i].in, strlen(rows[i].in), domain);

		assert_int_equal(found, rows[i].domain != NULL);
		if (found)
			assert_string_equal(domain, rows[i].domain);
	}
}

static void
the_field_is_folded(void **state)
{
	static struct dkim_header h;
	char out[DKIM_SIGNATURE_MAX], base64[345];
	static struct text canon;
	struct dkim_tags t = { .algorithm = "rsa-sha256",
		.domain = "example.org",
		.selector = "p2611r",
		.when = 1795305600,
		.body_hash = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
		.names = h.names };
	static const char head[] = "dkim-signature:v=1; a=rsa-sha256; ";
	size_t n;

	(void)state;
	assert_true(dkim_header_read(&h,
	    S("From: a@b\r\nTo: a\r\nCc: a\r\nSubject: s\r\nDate: d\r\n"
	      "Message-ID: m\r\nMIME-Version: 1\r\nContent-Type: a/b\r\n")));
	n = dkim_signature_begin(out, &t);
	assert_int_equal(strlen(out), n);
	assert_string_equal(out + n - 2, "b=");
	canon.n = 0;
	dkim_field(out, n, put, &canon);
	assert_memory_equal(canon.s, head, sizeof(head) - 1);
	memset(base64, 'x', 344);
	base64[344] = '\0';
	n = dkim_signature_end(out, n, base64);
	assert_int_equal(strlen(out), n);
	assert_string_equal(out + n - 2, "\r\n");
	for (const char *p = out, *lf; *p != '\0'; p = lf + 1) {
		lf = strchr(p, '\n');
		assert_non_null(lf);
		assert_true(lf - p <= 78 && lf[-1] == '\r');
		assert_true(p == out || *p == '\t');
	}
}

/* The longest there can be. */
static void
everything_fits(void **state)
{
	static struct dkim_header h;
	static struct text in;
	char out[DKIM_SIGNATURE_MAX], base64[700], domain[256], selector[64];
	struct dkim_tags t = { "ed25519-sha256", domain, selector, UINT64_MAX,
		"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=", h.names };
	static const char *const all[] = { "From", "Sender", "Reply-To", "To",
		"Cc", "Subject", "Date", "Message-ID", "In-Reply-To",
		"References", "MIME-Version", "Content-Type",
		"Content-Transfer-Encoding", "List-Id", "List-Help",
		"List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe",
		"List-Post", "List-Owner", "List-Archive" };
	size_t n;

	(void)state;
	in.n = 0;
	for (size_t i = 0; i < COUNT(all) * 4; i++) {
		put(&in, all[i / 4], strlen(all[i / 4]));
		put(&in, ": x\r\n", 5);
	}
	assert_true(dkim_header_read(&h, in.s, in.n));
	assert_int_equal(h.n, COUNT(all) * 4);
	memset(domain, 'd', 255);
	memset(selector, 's', 63);
	memset(base64, 'b', 684); /* RSA of 4,096 bits */
	domain[255] = selector[63] = base64[684] = '\0';
	n = dkim_signature_begin(out, &t);
	n = dkim_signature_end(out, n, base64);
	assert_true(n < sizeof(out));
	assert_int_equal(strlen(out), n);
}

int
main(void)
{
	ADD_TABLE(bodies, body_is_read_so);
	ADD_TABLE(fields, field_is_read_so);
	for (size_t i = 0; i < COUNT(headers); i++)
		add(headers[i].name, header_is_read_so,
		    (const void *)(uintptr_t)(i + 1));
	add("without From: nothing is signed", without_from_nothing_is_signed,
	    NULL);
	add("the author is the first mailbox", the_author_is_the_first_mailbox,
	    NULL);
	add("the field is folded", the_field_is_folded, NULL);
	add("everything fits", everything_fits, NULL);
	return run_cases("dkim");
}
