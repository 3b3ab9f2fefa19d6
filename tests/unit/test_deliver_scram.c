/*
 * SCRAM-SHA-256 towards a smarthost: the example of RFC 7677, and servers
 * that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/scram.h"
#include "mail/base64.h"

#define OURS   "rOprNGfwEbeRWgbNEkqO"
#define THEIRS "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT   "W22ZaJ0SNY7soEsUEjb6gQ=="

static const char *
in_base64(const char *text)
{
	static char out[4 * SCRAM_TEXT];

	assert_true(BASE64_SIZE(strlen(text)) <= sizeof(out));
	base64_encode(text, strlen(text), out);
	return out;
}

static const char *
from_base64(const char *text)
{
	static char out[SCRAM_TEXT];
	size_t n;

	assert_true(
	    base64_decode(text, strlen(text), out, sizeof(out) - 1, &n));
	out[n] = '\0';
	return out;
}

static void
example_of_rfc_7677(void **state)
{
	struct scram s;
	char out[SCRAM_TEXT];

	(void)state;
	scram_first(&s, "user", OURS, out);
	assert_string_equal(from_base64(out), "n,,n=user,r=" OURS);
	assert_null(scram_proof(&s,
	    in_base64("r=" OURS THEIRS ",s=" SALT ",i=4096"), "pencil", out));
	assert_string_equal(from_base64(out),
	    "c=biws,r=" OURS THEIRS
	    ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	assert_true(scram_proven(
	    &s, in_base64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
	/* Nothing of it is left. */
	for (size_t i = 0; i < sizeof(s); i++)
		assert_int_equal(((unsigned char *)&s)[i], 0);
}

static void
names_are_escaped(void **state)
{
	char name[256], out[SCRAM_TEXT];
	struct scram s;

	(void)state;
	scram_first(&s, "a=b,c", OURS, out);
	assert_string_equal(from_base64(out), "n,,n=a=3Db=2Cc,r=" OURS);
	memset(name, '=', 255);
	name[255] = '\0';
	scram_first(&s, name, "0123456789abcdefghijklmn", out);
	assert_true(strlen(out) < SCRAM_TEXT);
}

/* clang-format off */
static const struct { const char *challenge, *why; } bad[] = {
	{ "", "cannot be read" },
	{ "e=other-error", "cannot be read" },
	{ "m=ext,r=" OURS THEIRS ",s=" SALT ",i=4096", "cannot be read" },
	{ "r=" THEIRS OURS ",s=" SALT ",i=4096", "is not for us" },
	{ "r=" OURS ",s=" SALT ",i=4096", "is not for us" },
	{ "r=rOpr,s=" SALT ",i=4096", "is not for us" },
	{ "r=" OURS THEIRS ",s=,i=4096", "cannot be read" },
	{ "r=" OURS THEIRS ",s=***,i=4096", "cannot be read" },
	{ "r=" OURS THEIRS ",i=4096", "cannot be read" },
	{ "r=" OURS THEIRS ",s=" SALT, "cannot be read" },
	{ "r=" OURS THEIRS ",s=" SALT ",i=", "cannot be read" },
	{ "r=" OURS THEIRS ",s=" SALT ",i=-1", "cannot be read" },
	{ "r=" OURS THEIRS ",s=" SALT ",i=4096x", "cannot be read" },
	{ "r=" OURS THEIRS ",s=" SALT ",i=4095", "rounds" },
	{ "r=" OURS THEIRS ",s=" SALT ",i=100001", "rounds" },
	{ "r=" OURS THEIRS ",s=" SALT ",i=99999999999999999999", "rounds" },
};
/* clang-format on */

static void
bad_challenges_get_no_proof(void **state)
{
	char out[SCRAM_TEXT], text[2 * SCRAM_TEXT];
	struct scram s;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		scram_first(&s, "user", OURS, out);
		strcpy(out, "untouched");
		why = scram_proof(&s, in_base64(bad[i].challenge), "p", out);
		if (why == NULL || strstr(why, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].challenge, why);
		assert_string_equal(out, "untouched");
	}
	assert_non_null(scram_proof(&s, "no base64!", "p", out));
	/* A nonce as long as fits, and one longer. */
	for (size_t n = SCRAM_TEXT / 2 - 40; n < SCRAM_TEXT; n++) {
		snprintf(text, sizeof(text), "r=" OURS "%0*d,s=" SALT ",i=4096",
		    (int)n, 7);
		if (strlen(in_base64(text)) < SCRAM_TEXT)
			scram_proof(&s, in_base64(text), "p", out);
		else
			assert_non_null(
			    scram_proof(&s, in_base64(text), "p", out));
	}
}

static void
a_server_must_prove_itself(void **state)
{
	static const char *const lasts[] = { "",
		"v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9", "e=invalid-proof",
		"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	char out[SCRAM_TEXT];
	struct scram s;

	(void)state;
	for (size_t i = 0; i < sizeof(lasts) / sizeof(*lasts); i++) {
		scram_first(&s, "user", OURS, out);
		assert_null(scram_proof(&s,
		    in_base64("r=" OURS THEIRS ",s=" SALT ",i=4096"), "pencil",
		    out));
		assert_false(scram_proven(&s, in_base64(lasts[i])));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_of_rfc_7677),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(bad_challenges_get_no_proof),
		cmocka_unit_test(a_server_must_prove_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
