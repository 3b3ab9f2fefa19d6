/*
 * The keys of DKIM: which ones sign for a domain, how they come and go, and
 * that their signatures are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/dkim.h"
#include "auth/dkim_key.h"
#include "lib/loop.h"
#include "test_dir.h"

#define NOW 1795305600 /* 2026-11-22 */

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/postern-test-dkim-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	store_open(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dkim_close();
	store_close();
	return dir_remove(dir);
}

static struct dkim_change
of(const char *domain, uint64_t now)
{
	return (
	    struct dkim_change){ .domain = domain, .by = "root", .now = now };
}

static enum dkim_result
change(enum dkim_result (*run)(struct dkim_change *), const char *domain,
    uint64_t now)
{
	struct dkim_change c = of(domain, now);

	return run(&c);
}

static void
assert_signs(
    const char *domain, const char *by, const char *ed25519, const char *rsa)
{
	struct msg_dkim_keys_are are;

	dkim_find(domain, &are);
	assert_string_equal(are.domain, by);
	assert_string_equal(are.ed25519, ed25519);
	assert_string_equal(are.rsa, rsa);
}

static void
keys_of_the_domain_or_of_the_nearest_above(void **state)
{
	(void)state;
	assert_signs("example.org", "", "", "");
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_DONE);
	assert_int_equal(change(dkim_add, "a.b.example.org", NOW), DKIM_DONE);
	assert_signs("example.org", "example.org", "p2611e", "p2611r");
	assert_signs("mail.example.org", "example.org", "p2611e", "p2611r");
	assert_signs("b.example.org", "example.org", "p2611e", "p2611r");
	assert_signs("a.b.example.org", "a.b.example.org", "p2611e", "p2611r");
	assert_signs(
	    "x.a.b.example.org", "a.b.example.org", "p2611e", "p2611r");
	assert_signs("org", "", "", "");
	assert_signs("notexample.org", "", "", "");
}

static void
a_rotation_from_end_to_end(void **state)
{
	struct dkim_change c = of("example.org", NOW + 100);

	(void)state;
	assert_int_equal(change(dkim_prepare, "example.org", NOW), DKIM_ABSENT);
	assert_int_equal(change(dkim_switch, "example.org", NOW), DKIM_ABSENT);
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_DONE);
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_EXISTS);
	assert_int_equal(change(dkim_prepare, "example.org", NOW), DKIM_DONE);
	assert_int_equal(change(dkim_prepare, "example.org", NOW), DKIM_EXISTS);
	assert_signs("example.org", "example.org", "p2611e", "p2611r");
	assert_int_equal(change(dkim_retire, "example.org", NOW), DKIM_ABSENT);
	assert_int_equal(change(dkim_switch, "example.org", NOW), DKIM_DONE);
	assert_signs("example.org", "example.org", "p2611e2", "p2611r2");
	assert_int_equal(dkim_retire(&c), DKIM_EARLY);
	assert_int_equal(c.when, NOW + DKIM_REST_S);
	assert_int_equal(
	    change(dkim_retire, "example.org", NOW + DKIM_REST_S), DKIM_DONE);
	assert_int_equal(
	    change(dkim_retire, "example.org", NOW + DKIM_REST_S), DKIM_ABSENT);
	assert_signs("example.org", "example.org", "p2611e2", "p2611r2");
	assert_int_equal(change(dkim_remove, "example.org", NOW), DKIM_DONE);
	assert_signs("example.org", "", "", "");
	assert_int_equal(change(dkim_remove, "example.org", NOW), DKIM_ABSENT);
}

static void
force_retires_at_once(void **state)
{
	struct dkim_change c = of("example.org", NOW);

	(void)state;
	c.force = true;
	assert_int_equal(dkim_add(&c), DKIM_DONE);
	assert_int_equal(dkim_prepare(&c), DKIM_DONE);
	assert_int_equal(dkim_switch(&c), DKIM_DONE);
	assert_int_equal(dkim_retire(&c), DKIM_DONE);
	assert_signs("example.org", "example.org", "p2611e2", "p2611r2");
}

static struct msg_dkim_row
describe(const char *domain, const char *selector)
{
	struct msg_dkim_row r = { 0 };
	struct dkim_row row;

	assert_true(dkim_get(NULL, domain, selector, &row));
	dkim_describe(domain, selector, &row, &r);
	return r;
}

static void
the_operator_sees_public_keys_only(void **state)
{
	struct msg_dkim_row r;
	struct dkim_row row;

	(void)state;
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_DONE);
	r = describe("example.org", "p2611e");
	assert_int_equal(r.algorithm, DKIM_ED25519);
	assert_int_equal(r.state, DKIM_ACTIVE);
	assert_int_equal(r.created, NOW);
	assert_string_equal(r.by, "root");
	assert_int_equal(strlen(r.key), 44);
	r = describe("example.org", "p2611r");
	assert_int_equal(r.algorithm, DKIM_RSA);
	assert_memory_equal(r.key, "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", 32);
	assert_true(dkim_get(NULL, "example.org", "p2611r", &row));
	assert_null(strstr(row.secret, r.key + 60));
}

/* Ask for both signatures of one digest. */
static uint32_t
sign(const char *ed25519, const char *rsa, struct msg_dkim_signed *answer,
    uint8_t out[2][512])
{
	static const uint8_t digest[DKIM_DIGEST] = { 1, 2, 3 };
	struct msg_dkim_sign ask = { .domain = "example.org",
		.ed25519_digest = { digest, sizeof(digest) },
		.rsa_digest = { digest, sizeof(digest) } };

	strcpy(ask.ed25519, ed25519);
	strcpy(ask.rsa, rsa);
	memset(answer, 0, sizeof(*answer));
	dkim_sign(&ask, answer, out);
	return answer->verdict;
}

static void
signatures_verify(void **state)
{
	static const uint8_t digest[DKIM_DIGEST] = { 1, 2, 3 };
	struct msg_dkim_signed a;
	struct dkim_row row;
	uint8_t out[2][512];
	EVP_PKEY *key;
	EVP_PKEY_CTX *ctx;
	EVP_MD_CTX *md;

	(void)state;
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_DONE);
	assert_int_equal(sign("p2611e", "p2611r", &a, out), V_OK);
	assert_int_equal(a.ed25519_signature.len, 64);
	assert_int_equal(a.rsa_signature.len, 256);

	assert_true(dkim_get(NULL, "example.org", "p2611e", &row));
	key = dkim_key_read(row.secret);
	md = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(md, a.ed25519_signature.data, 64,
			     digest, sizeof(digest)),
	    1);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);

	assert_true(dkim_get(NULL, "example.org", "p2611r", &row));
	key = dkim_key_read(row.secret);
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_verify(ctx, a.rsa_signature.data, 256, digest,
			     sizeof(digest)),
	    1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);

	assert_int_equal(sign("", "p2611r", &a, out), V_OK);
	assert_int_equal(a.ed25519_signature.len, 0);
}

static void
only_active_keys_sign_and_only_their_kind(void **state)
{
	struct msg_dkim_signed a;
	uint8_t out[2][512];

	(void)state;
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_DONE);
	assert_int_equal(change(dkim_prepare, "example.org", NOW), DKIM_DONE);
	assert_int_equal(sign("p2611e", "p2611r", &a, out), V_OK);
	assert_int_equal(sign("p2611e2", "p2611r2", &a, out), V_PERM);
	assert_int_equal(sign("p2611r", "p2611e", &a, out), V_PERM);
	assert_int_equal(a.rsa_signature.len, 0);
	assert_int_equal(sign("other", "", &a, out), V_PERM);
	assert_int_equal(change(dkim_switch, "example.org", NOW), DKIM_DONE);
	assert_int_equal(sign("p2611e", "p2611r", &a, out), V_PERM);
	assert_int_equal(sign("p2611e2", "p2611r2", &a, out), V_OK);
}

static void
keys_outlive_the_process(void **state)
{
	struct msg_dkim_signed a;
	uint8_t out[2][512];

	(void)state;
	assert_int_equal(change(dkim_add, "example.org", NOW), DKIM_DONE);
	dkim_close();
	store_close();
	store_open(dir);
	assert_int_equal(sign("p2611e", "p2611r", &a, out), V_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_of_the_domain_or_of_the_nearest_above),
		TEST(a_rotation_from_end_to_end),
		TEST(force_retires_at_once),
		TEST(the_operator_sees_public_keys_only),
		TEST(signatures_verify),
		TEST(only_active_keys_sign_and_only_their_kind),
		TEST(keys_outlive_the_process),
	};

	loop_init();
	return cmocka_run_group_tests_name("dkim", tests, NULL, NULL);
}
