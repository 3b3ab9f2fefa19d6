/*
 * SipHash against the paper and against OpenSSL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "lib/siphash.h"

static uint8_t in[300];
static const uint64_t key[2] = { UINT64_C(0x0706050403020100),
	UINT64_C(0x0f0e0d0c0b0a0908) };

/* The first of the vectors that its authors publish. */
static void
known_value(void **state)
{
	static const uint8_t want[16] = { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25,
		0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 };
	uint64_t out[2];

	(void)state;
	siphash(key, in, 0, out);
	assert_memory_equal(out, want, sizeof(want));
}

static void
agrees_with_openssl(void **state)
{
	uint8_t want[16];
	uint64_t out[2];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t len = 0; len < sizeof(in); len++) {
		assert_non_null(EVP_Q_mac(NULL, "SIPHASH", NULL, NULL, NULL,
		    key, sizeof(key), in, len, want, sizeof(want), &n));
		assert_int_equal(n, 16);
		siphash(key, in, len, out);
		assert_memory_equal(out, want, sizeof(want));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_value),
		cmocka_unit_test(agrees_with_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
