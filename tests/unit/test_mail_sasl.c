/* AUTH PLAIN and LOGIN: the exact grammar. */
#include "test_mail.h"

#include "mail/base64.h"
#include "mail/sasl.h"

struct row {
	const char *name, *in; /* before base64 */
	size_t n;
	enum sasl_result result;
	const char *user, *password;
};

#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define X255 X50 X50 X50 X50 X50 "yyyyy"

static const struct row rows[] = {
	{ "usual", S("\0alice@b\0secret"), SASL_OK, "alice@b", "secret" },
	{ "one character each", S("\0a\0b"), SASL_OK, "a", "b" },
	{ "blanks", S("\0a b\0 c "), SASL_OK, "a b", " c " },
	{ "UTF-8", S("\0J\xc3\xbcrgen\0\xe2\x82\xac"), SASL_OK, "J\xc3\xbcrgen",
	    "\xe2\x82\xac" },
	{ "acts as itself", S("a@b\0a@b\0c"), SASL_OK, "a@b", "c" },
	{ "acts as itself in another case", S("A@B\0a@b\0c"), SASL_OK, "a@b",
	    "c" },
	{ "255 each", S("\0" X255 "\0" X255), SASL_OK, X255, X255 },
	{ "255 thrice", S(X255 "\0" X255 "\0" X255), SASL_OK, X255, X255 },
	{ "control in the password", S("\0a\0\x01"), SASL_OK, "a", "\x01" },
	{ "acts as another", S("root\0a\0c"), SASL_AUTHZID, NULL, NULL },
	{ "acts as a longer one", S("aa\0a\0c"), SASL_AUTHZID, NULL, NULL },
	{ "acts as a shorter one", S("a\0aa\0c"), SASL_AUTHZID, NULL, NULL },
	{ "acts as another, in UTF-8", S("\xc3\xbc\0a\0c"), SASL_AUTHZID, NULL,
	    NULL },
	{ "nothing", S(""), SASL_MALFORMED, NULL, NULL },
	{ "no NUL", S("alice"), SASL_MALFORMED, NULL, NULL },
	{ "one NUL", S("alice\0secret"), SASL_MALFORMED, NULL, NULL },
	{ "NULs only", S("\0\0"), SASL_MALFORMED, NULL, NULL },
	{ "no user", S("\0\0secret"), SASL_MALFORMED, NULL, NULL },
	{ "no password", S("\0alice\0"), SASL_MALFORMED, NULL, NULL },
	{ "no password, no end", S("\0alice"), SASL_MALFORMED, NULL, NULL },
	{ "NUL behind", S("\0alice\0secret\0"), SASL_MALFORMED, NULL, NULL },
	{ "fourth field", S("\0alice\0secret\0x"), SASL_MALFORMED, NULL, NULL },
	{ "NUL in the password", S("\0a\0b\0c"), SASL_MALFORMED, NULL, NULL },
	{ "CR in the user", S("\0a\rb\0c"), SASL_MALFORMED, NULL, NULL },
	{ "LF in the user", S("\0a\nb\0c"), SASL_MALFORMED, NULL, NULL },
	{ "escape in the user", S("\0a\x1b[2J\0c"), SASL_MALFORMED, NULL,
	    NULL },
	{ "C1 control in the user", S("\0a\xc2\x9b\0c"), SASL_MALFORMED, NULL,
	    NULL },
	{ "DEL in the user", S("\0a\x7f\0c"), SASL_MALFORMED, NULL, NULL },
	{ "Latin-1 user", S("\0J\xfcrgen\0c"), SASL_MALFORMED, NULL, NULL },
	{ "Latin-1 password", S("\0a\0\xa4"), SASL_MALFORMED, NULL, NULL },
	{ "Latin-1 authzid", S("\xa4\0a\0c"), SASL_MALFORMED, NULL, NULL },
	{ "user of 256", S("\0z" X255 "\0c"), SASL_MALFORMED, NULL, NULL },
	{ "password of 256", S("\0a\0z" X255), SASL_MALFORMED, NULL, NULL },
	{ "authzid of 256", S("z" X255 "\0" X255 "\0c"), SASL_MALFORMED, NULL,
	    NULL },
	{ "all of 256", S("z" X255 "\0z" X255 "\0z" X255), SASL_MALFORMED, NULL,
	    NULL },
};

static bool
wiped(const void *p, size_t n)
{
	const char *s = p;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '\0')
			return false;
	return true;
}

static void
reads_plain(void **state)
{
	const struct row *t = *state;
	char text[BASE64_SIZE(1024)], *in;
	struct sasl_login login;
	size_t n = base64_encode(t->in, t->n, text);

	in = exact(text, n);
	memset(&login, 0x5a, sizeof(login));
	assert_int_equal(sasl_plain(&login, in, n), t->result);
	free(in);
	if (t->result != SASL_OK) {
		assert_true(wiped(&login, sizeof(login)));
		return;
	}
	assert_string_equal(login.user, t->user);
	assert_string_equal(login.password, t->password);
}

static void
plain_is_base64(void **state)
{
	static const char *const bad[] = { "=", "*", "AGEAYg=", "AGEAYg",
		" AGEAYg==", "AGEAYg== ", "AGEAYh==", "\0a\0b", "AGEA Yg=" };
	struct sasl_login login;

	(void)state;
	assert_int_equal(sasl_plain(&login, S("AGEAYg==")), SASL_OK);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    sasl_plain(&login, bad[i], strlen(bad[i])), SASL_MALFORMED);
}

struct piece {
	const char *name, *in;
	size_t n;
	bool user, password;
	const char *out; /* NULL: what came in */
};

static const struct piece pieces[] = {
	{ "LOGIN: usual", S("alice@example.org"), true, true, NULL },
	{ "LOGIN: UTF-8", S("\xe2\x82\xac"), true, true, NULL },
	{ "LOGIN: 255", S(X255), true, true, NULL },
	{ "LOGIN: 256", S("z" X255), false, false, NULL },
	{ "LOGIN: nothing", S(""), false, false, NULL },
	{ "LOGIN: NUL", S("a\0b"), false, false, NULL },
	{ "LOGIN: NUL behind", S("a\0"), false, false, NULL },
	{ "LOGIN: Latin-1", S("J\xfcrgen"), true, true, "J\xc3\xbcrgen" },
	{ "LOGIN: Windows", S("5\x80\xff"), true, true,
	    "5\xe2\x82\xac\xc3\xbf" },
	{ "LOGIN: no letter", S("a\x81"), false, true, "a\xc2\x81" },
	{ "LOGIN: Latin-1 with NUL", S("\xfc\0b"), false, false, NULL },
	{ "LOGIN: Latin-1, too long", S("\xfc\xfc" X255), false, false, NULL },
	{ "LOGIN: control", S("a\nb"), false, true, NULL },
};

static void
reads_login(void **state)
{
	const struct piece *t = *state;
	const char *want = t->out != NULL ? t->out : t->in;
	char text[BASE64_SIZE(1024)], out[SASL_MAX];
	size_t n = base64_encode(t->in, t->n, text);

	memset(out, 0x5a, sizeof(out));
	assert_int_equal(sasl_login_user(out, text, n), t->user);
	if (t->user)
		assert_string_equal(out, want);
	else
		assert_true(wiped(out, sizeof(out)));
	memset(out, 0x5a, sizeof(out));
	assert_int_equal(sasl_login_password(out, text, n), t->password);
	if (t->password)
		assert_string_equal(out, want);
	else
		assert_true(wiped(out, sizeof(out)));
	assert_false(sasl_login_user(out, "=", 1));
	assert_false(sasl_login_password(out, "*", 1));
}

int
main(void)
{
	ADD_TABLE(rows, reads_plain);
	add("PLAIN is strict base64", plain_is_base64, NULL);
	ADD_TABLE(pieces, reads_login);
	return run_cases("mail/sasl");
}
