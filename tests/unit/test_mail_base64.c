/* Base64: the vectors of RFC 4648, and each text that is nearly one. */
#include "test_mail.h"

#include "mail/base64.h"

struct row {
	const char *name, *bytes;
	size_t n;
	const char *text;
};

static const struct row rows[] = {
	{ "RFC 4648: nothing", S(""), "" },
	{ "RFC 4648: f", S("f"), "Zg==" },
	{ "RFC 4648: fo", S("fo"), "Zm8=" },
	{ "RFC 4648: foo", S("foo"), "Zm9v" },
	{ "RFC 4648: foob", S("foob"), "Zm9vYg==" },
	{ "RFC 4648: fooba", S("fooba"), "Zm9vYmE=" },
	{ "RFC 4648: foobar", S("foobar"), "Zm9vYmFy" },
	{ "digits 62 and 63", S("\xfb\xff"), "+/8=" },
	{ "all digits",
	    S("\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51"
	      "\x55\x97\x61\x96\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a"
	      "\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf"
	      "\xbf"),
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"
	    "/" },
	{ "NULs", S("\0a\0b"), "AGEAYg==" },
	{ "high bytes", S("\xff\xff\xff"), "////" },
};

static void
both_ways(void **state)
{
	const struct row *t = *state;
	char text[BASE64_SIZE(48)], *in = exact(t->text, strlen(t->text));
	char *out = malloc(t->n + 1);
	size_t len = 99;

	assert_non_null(out);
	assert_int_equal(base64_encode(t->bytes, t->n, text), strlen(t->text));
	assert_string_equal(text, t->text);
	assert_true(base64_decode(in, strlen(t->text), out, t->n, &len));
	assert_int_equal(len, t->n);
	assert_memory_equal(out, t->bytes, t->n);
	if (t->n > 0)
		assert_false(
		    base64_decode(in, strlen(t->text), out, t->n - 1, &len));
	free(in);
	free(out);
}

static const struct row bad[] = {
	{ "one character", S("Z"), NULL },
	{ "two characters", S("Zg"), NULL },
	{ "three characters", S("Zm8"), NULL },
	{ "five characters", S("Zm9vY"), NULL },
	{ "padding only", S("===="), NULL },
	{ "one digit and padding", S("Z==="), NULL },
	{ "one equals sign", S("="), NULL },
	{ "padding in the middle", S("Zg==Zg=="), NULL },
	{ "padding at the wrong place", S("Z=g="), NULL },
	{ "padding in front", S("=Zg="), NULL },
	{ "five times padding", S("Zg==="), NULL },
	{ "padding too many", S("Zm9v===="), NULL },
	{ "bits left over, two", S("Zh=="), NULL },
	{ "bits left over, one", S("Zm9="), NULL },
	{ "all bits left over", S("Zv=="), NULL },
	{ "blank in front", S(" Zg="), NULL },
	{ "blank inside", S("Zm 9"), NULL },
	{ "blank behind", S("Zm9v "), NULL },
	{ "line end behind", S("Zm9v\r\n"), NULL },
	{ "line end inside", S("Zm\r\n"), NULL },
	{ "NUL", S("Zm9\0"), NULL },
	{ "URL alphabet", S("-_8="), NULL },
	{ "8-bit", S("Zm9\xff"), NULL },
	{ "star", S("*"), NULL },
};

static void
refuses(void **state)
{
	const struct row *t = *state;
	char out[32], *in = exact(t->bytes, t->n);
	size_t len = 99;

	assert_false(base64_decode(in, t->n, out, sizeof(out), &len));
	assert_int_equal(len, 99);
	free(in);
}

/* What decodes is what encoding gives: no second text for the same bytes. */
static void
one_text_for_each(void **state)
{
	static const char alphabet[] = "AQgw9/=";
	char s[8], text[BASE64_SIZE(8)], out[8];
	size_t n = 0, len, good = 0;

	(void)state;
	do {
		if (!base64_decode(s, n, out, sizeof(out), &len))
			continue;
		good++;
		assert_int_equal(base64_encode(out, len, text), n);
		assert_memory_equal(text, s, n);
	} while (next_string(s, &n, 6, alphabet, sizeof(alphabet) - 1));
	assert_true(good > 1000);
}

static void
mime_lines(void **state)
{
	static char bytes[600], want[2000], got[2000], line[BASE64_SIZE(57)];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t n = 0; n <= sizeof(bytes); n += n < 240 ? 1 : 57) {
		size_t want_len = 0;

		for (size_t i = 0; i < n; i += 57) {
			size_t k = n - i < 57 ? n - i : 57;
			size_t len = base64_encode(bytes + i, k, line);

			memcpy(want + want_len, line, len);
			memcpy(want + want_len + len, "\r\n", 2);
			want_len += len + 2;
		}
		for (size_t cut = 1; cut <= 80; cut += 13) {
			struct base64_mime m;
			size_t len = 0;

			base64_mime_init(&m);
			for (size_t i = 0; i < n; i += cut) {
				size_t k = n - i < cut ? n - i : cut, was = len;

				len += base64_mime_write(
				    &m, bytes + i, k, got + len);
				assert_true(len - was <= BASE64_MIME_ROOM(k));
			}
			len += base64_mime_end(&m, got + len);
			assert_int_equal(len, want_len);
			assert_memory_equal(got, want, len);
		}
	}
}

int
main(void)
{
	ADD_TABLE(rows, both_ways);
	ADD_TABLE(bad, refuses);
	add("only one text for the same bytes", one_text_for_each, NULL);
	add("lines of 76", mime_lines, NULL);
	return run_cases("mail/base64");
}
