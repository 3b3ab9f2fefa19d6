/*
 * A private key that was read and freed is in no memory any more.
 */
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/scrub.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* A sanitizer puts off what is freed, and gives it to nobody. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define QUARANTINE true
#else
#define QUARANTINE false
#endif

#define BLOCK 1200 /* bytes, as a key has */

static uint8_t secret[BLOCK];

/* What free(3) leaves is in the next block of that size. */
static bool
left_behind(void)
{
	uint8_t *p[64];
	bool found = false;

	for (size_t i = 0; i < 64; i++) {
		p[i] = malloc(BLOCK);
		assert_non_null(p[i]);
		/* The allocator's own words are at the front. */
		found |= memcmp(p[i] + 64, secret + 64, 256) == 0;
	}
	for (size_t i = 0; i < 64; i++)
		free(p[i]);
	return found;
}

static void
freed(void **state)
{
	uint8_t *p = OPENSSL_malloc(BLOCK);

	(void)state;
	assert_non_null(p);
	memcpy(p, secret, BLOCK);
	OPENSSL_free(p);
	assert_false(left_behind());
}

static void
resized(void **state)
{
	uint8_t *p = OPENSSL_malloc(BLOCK);

	(void)state;
	assert_non_null(p);
	memcpy(p, secret, BLOCK);
	p = OPENSSL_realloc(p, 8 * BLOCK);
	assert_non_null(p);
	assert_memory_equal(p, secret, BLOCK);
	assert_false(left_behind());
	p = OPENSSL_realloc(p, BLOCK / 2);
	assert_non_null(p);
	assert_memory_equal(p, secret, BLOCK / 2);
	OPENSSL_free(p);
	assert_null(OPENSSL_realloc(OPENSSL_malloc(8), 0));
	p = OPENSSL_realloc(NULL, 8);
	assert_non_null(p);
	OPENSSL_free(p);
}

/* The other way round, so that the tests above can fail. */
static void
control(void **state)
{
	uint8_t *p = malloc(BLOCK);

	(void)state;
	assert_non_null(p);
	if (QUARANTINE) {
		free(p);
		skip();
	}
	memcpy(p, secret, BLOCK);
	__asm__ volatile("" : : "r"(p) : "memory");
	free(p);
	assert_true(left_behind());
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed),
		cmocka_unit_test(resized),
		cmocka_unit_test(control),
	};

	for (size_t i = 0; i < BLOCK; i++)
		secret[i] = (uint8_t)(i * 7 + 1);
	scrub_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
