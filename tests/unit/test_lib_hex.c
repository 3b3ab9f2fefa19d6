/*
 * test_lib_hex.c - octets as digits: there and back, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/hex.h"

static void
every_octet_comes_back(void **state)
{
	uint8_t in[256], out[256];
	char text[HEX_SIZE(256)];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	hex_write(in, 256, text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_true(hex_is_written(text, 256));
	assert_true(hex_read(text, out, 256));
	assert_memory_equal(in, out, 256);
}

static void
either_case_is_read(void **state)
{
	uint8_t out[3];

	(void)state;
	assert_true(hex_read("aB90fFxyz", out, 3));
	assert_memory_equal(out, "\xab\x90\xff", 3);
	assert_false(hex_is_written("aB90ff", 3));
}

static void
no_digits_are_refused(void **state)
{
	static const char *const bad[] = { "", "0", "00", "00f", "00g0", "0x00",
		"-100", " 100", "00/:", "@G`g" };
	uint8_t out[2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(hex_read(bad[i], out, 2));
		assert_false(hex_is_written(bad[i], 2));
	}
	assert_false(hex_is_written("00000", 2));
	assert_true(hex_is_written("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_comes_back),
		cmocka_unit_test(either_case_is_read),
		cmocka_unit_test(no_digits_are_refused),
	};

	return cmocka_run_group_tests_name("lib_hex", tests, NULL, NULL);
}
