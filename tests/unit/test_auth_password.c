/*
 * Every format that libxcrypt knows verifies, the right ones are called weak,
 * and what is made is yescrypt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/password.h"

#define SECRET "correct horse"

static const struct {
	const char *hash, *kind;
	bool weak;
} known[] = {
	/* clang-format off */
	{ "/LgVj7g9me8So", "descrypt", true },
	{ "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1", "md5crypt", true },
	{ "$2b$04$P/iCb15ef0GGzbGJwcWl9ONdUhgvg0/gq/NFdSwEItIkSNozkBLhe", "bcrypt", true },
	{ "$5$rounds=1000$.J7kFlwwRu2IbnbU$AuRhqzzH7nkV.un.JBnnW9oS1U7vj93819SgfQbH6N4", "sha256crypt", true },
	{ "$6$rounds=1000$84Csem9eUODYwhJe$5jm2PIndhJn6TLPWFm/sAQ/g5g46r7YcTJ0ec.vyCyhoUUXw6.IGgOSQoJWxKgB3.heyfu9e7ljkChPlCwBQR1", "sha512crypt", true },
	{ "$y$j75$y1x6UIMut8WYKnx5fUKga/$ExO8cZENBPcrPI10txeJFrTG108xe.IL7bzo3kHPEx1", "yescrypt", true },
	{ "$7$BU..../....CaumpOQKHAZ/SzqzPgXzC.$mz92MUD9ansW9HOUszMe/cVsXM5cwfEM4xjyg00n7U6", "scrypt", false },
	{ "$3$$cfc43211ba8dc470832267827cac1407", "nt", true },
	{ "_J9..K/K32cQ5vfY4fkM", "bsdicrypt", true },
	{ "$gy$j75$HxqyBolNz4.2s7X5aKiHq1$rqpaUZMMLUKhFf.A9nx4XRUD7nCz2XYQ.Q.1D6AMTPB", "gost-yescrypt", false },
	{ "$sha1$994$8xn0oybBBNtBuXtCfMFP$XcSlStoJk2VRCZ4r7k76ofiP3LvU", "sha1crypt", true },
	/* clang-format on */
};

static void
every_format_verifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(password_right(SECRET, known[i].hash));
		assert_false(password_right("Correct horse", known[i].hash));
		assert_string_equal(
		    password_kind(known[i].hash), known[i].kind);
		assert_int_equal(password_weak(known[i].hash), known[i].weak);
	}
}

static void
nothing_verifies_what_is_no_hash(void **state)
{
	static const char *const hashes[] = { "", "!", "*", "*0", "!$1$x$y",
		"$6$", "$6$salt", "$y$", "$y$j9T$", "$99$salt$hash", "x",
		SECRET };

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		assert_false(password_right(SECRET, hashes[i]));
	assert_string_equal(password_kind(""), "none");
	assert_string_equal(password_kind("!$1$x$y"), "locked");
	assert_string_equal(password_kind("{SSHA}abc"), "unknown");
}

static void
new_ones_are_yescrypt(void **state)
{
	char hash[PASSWORD_HASH], other[PASSWORD_HASH];

	(void)state;
	assert_true(password_make(SECRET, hash));
	assert_true(password_make(SECRET, other));
	assert_string_not_equal(hash, other);
	assert_string_equal(password_kind(hash), "yescrypt");
	assert_false(password_weak(hash));
	assert_true(password_right(SECRET, hash));
	assert_false(password_right("wrong", hash));
}

static void
length_is_bounded(void **state)
{
	char hash[PASSWORD_HASH], longest[PASSWORD_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[PASSWORD_MAX + 1] = '\0';
	assert_false(password_make(longest, hash));
	assert_false(password_make("", hash));
	assert_false(password_right("", "$1$Daxl/Tq0$"));
	longest[PASSWORD_MAX] = '\0';
	assert_true(password_make(longest, hash));
	assert_true(password_right(longest, hash));
	/* The last byte counts too. */
	longest[PASSWORD_MAX - 1] = 'y';
	assert_false(password_right(longest, hash));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_verifies),
		cmocka_unit_test(nothing_verifies_what_is_no_hash),
		cmocka_unit_test(new_ones_are_yescrypt),
		cmocka_unit_test(length_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
