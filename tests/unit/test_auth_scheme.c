/*
 * Hashes of other servers: the right password opens them, others do not, and
 * what cannot be checked is not taken for something that can.  The strings are
 * what doveadm pw and htpasswd made of "secret".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/password.h"
#include "auth/scheme.h"
#include "auth/scram_verifier.h"
#include "auth/spelling.h"

static const struct {
	const char *kind, *hash;
} made[] = {
	{ "sha1", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" },
	{ "ssha", "{SSHA}OAQgIOAm8oRPJjXAW/2Hrr2Ef0uu4kh/" },
	{ "sha256", "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=" },
	{ "ssha256",
	    "{SSHA256}jo/30zM7Pnnva96anrchv1flZ8b2qx0/8XNQqOj1TLUij+Ta" },
	{ "sha512",
	    "{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhzt"
	    "meD2cmW192CF5bDufKRpayrW/isg==" },
	{ "ssha512",
	    "{SSHA512}LmDHrhdeDT+NvM2w96YdDLojCza3jD8MN/Vv/oNnZS09Rq0AFMcsI+DiT"
	    "UI21rzeSSldkJEo2SWpl/6seJM7ondkCN8=" },
	{ "md5", "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==" },
	{ "smd5", "{SMD5}efWMGMIKwPnyVQoyYJOIIm7PkW4=" },
	{ "pbkdf2",
	    "{PBKDF2}$1$pWay6DGD2HNsY/"
	    "MU$5000$852cf8ed347a5c338eb57db0947248994226687d" },
	{ "scram-sha-1",
	    "{SCRAM-SHA-1}4096,cnJXnJIbyA/0BBaiH/s3Ng==,FXpJo6vwJv88QAfruobMt4v"
	    "uQI4=,yYFAwTRtSiM/bCh1vPstlufGiOw=" },
	{ "scram-sha-256",
	    "{SCRAM-SHA-256}4096,3CuuabOyXzD6XSYAGlGJJQ==,yjTv6lalMRKHZvxT6NW+4"
	    "aabdzmJJO+FwIgfq2ctlts=,pe7OuzYC5SjLD6F3ha5PwlFWZW1UHXEFGJ/gthOcAR"
	    "4=" },
	{ "apr1", "$apr1$2Z7.F23k$n6HIcVijj1kINuaCEJOzZ1" },
	{ "argon2i",
	    "$argon2i$v=19$m=32768,t=4,p=1$w94JeGkGWxRf2HrMssdjSA$WgNqd0Apb2S81"
	    "grivnVNQAGS1p6m4N+ewEEnu0+Fpg4" },
	{ "argon2id",
	    "$argon2id$v=19$m=65536,t=3,p=1$TGfY7EEBYN8LzjCKRawWPQ$wzB0EsynaVLG"
	    "dK/MUnZ6/yctBkolOFRyKa0OZJ8Hw/g" },
};

static void
the_right_password_opens_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		assert_string_equal(password_kind(made[i].hash), made[i].kind);
		assert_true(password_weak(made[i].hash));
		assert_true(password_right("secret", made[i].hash));
		assert_false(password_right("Secret", made[i].hash));
		assert_false(password_right("secret ", made[i].hash));
		assert_false(password_right("", made[i].hash));
	}
}

static void
what_cannot_be_checked_is_unknown(void **state)
{
	static const char *const bad[] = {
		"{SSHA}abcdefg", "{SHA}", "{SSHA}",
		"{SHA}5en6G6MezRroT3XKqkdPOmY/BfR=",     /* bits left over */
		"{SHA}OAQgIOAm8oRPJjXAW/2Hrr2Ef0uu4kh/", /* with a salt */
		"{CRAM-MD5}cd3ba7de", "{PBKDF2}$1$x$0$852c",
		("{PBKDF2}$1$x$2000000000$"
		 "852cf8ed347a5c338eb57db0947248994226687d"),
		"{SCRAM-SHA-256}4096,,,",
		"{SCRAM-SHA-256}99999999,AAAA,AAAA,AAAA", "$apr1$2Z7.F23k",
		"$apr1$toolongsalt$n6HIcVijj1kINuaCEJOzZ1",
		"$argon2id$v=19$m=99999999,t=3,p=1$TGfY7EEBYN8LzjCKRawWPQ$wzB0"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(scheme_kind(bad[i]));
		assert_string_equal(password_kind(bad[i]), "unknown");
		assert_false(password_right("secret", bad[i]));
	}
}

static void
a_verifier_is_of_its_password(void **state)
{
	char text[SCRAM_VERIFIER], other[SCRAM_VERIFIER];
	struct scram_verifier v;

	(void)state;
	assert_true(scram_verifier_make("pencil", text));
	assert_true(scram_verifier_parse(&v, text, SCRAM_KEY));
	assert_int_equal(v.iterations, SCRAM_ITERATIONS);
	assert_true(scram_verifier_right("pencil", text, SCRAM_KEY));
	assert_false(scram_verifier_right("pencils", text, SCRAM_KEY));
	assert_true(scram_verifier_make("pencil", other));
	assert_string_not_equal(text, other);
	/* SASLprep's NFKC: the feminine ordinal is an "a". */
	assert_true(scram_verifier_make("\xc2\xaa", text));
	assert_true(scram_verifier_right("a", text, SCRAM_KEY));
}

#define COMPOSED   "p\xc3\xa4ss"  /* NFC */
#define DECOMPOSED "pa\xcc\x88ss" /* NFD, as a Mac may send it */
#define LATIN1     "p\xe4ss"

static void
one_password_has_three_spellings(void **state)
{
	char out[SPELLING_MAX], hash[PASSWORD_HASH];

	(void)state;
	assert_true(spelling_of("plain", 0, out));
	assert_false(spelling_of("plain", 1, out));
	assert_true(spelling_of(DECOMPOSED, 0, out));
	assert_string_equal(out, DECOMPOSED);
	assert_true(spelling_of(DECOMPOSED, 1, out));
	assert_string_equal(out, COMPOSED);
	assert_true(spelling_of(DECOMPOSED, 2, out));
	assert_string_equal(out, LATIN1);
	assert_false(spelling_of(DECOMPOSED, 3, out));
	assert_true(spelling_of(COMPOSED, 1, out));
	assert_string_equal(out, LATIN1);
	assert_false(spelling_of(COMPOSED, 2, out));
	/* Greek is not in Latin-1. */
	assert_false(spelling_of("\xce\xb1", 1, out));

	assert_true(password_make(DECOMPOSED, hash));
	assert_true(password_right(COMPOSED, hash));
	assert_true(password_right(DECOMPOSED, hash));
	/* md5crypt of the Latin-1 bytes, as an old server made it. */
	assert_true(
	    password_right(COMPOSED, "$1$abcdefgh$VUNE3F.DtGVcjZ7XpgPnd."));
	assert_true(
	    password_right(DECOMPOSED, "$1$abcdefgh$VUNE3F.DtGVcjZ7XpgPnd."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_opens_them),
		cmocka_unit_test(what_cannot_be_checked_is_unknown),
		cmocka_unit_test(a_verifier_is_of_its_password),
		cmocka_unit_test(one_password_has_three_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
