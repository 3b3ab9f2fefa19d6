/*
 * The examples of RFC 6376 appendix A and RFC 8463 appendix A: what we hash is
 * what their keys have signed.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sha256.h"
#include "mail/base64.h"
#include "mail/dkim.h"

#define HEADER \
	"From: Joe SixPack <joe@football.example.com>\r\n" \
	"To: Suzie Q <suzie@shopping.example.net>\r\n" \
	"Subject: Is dinner ready?\r\n" \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n" \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define BODY         "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define BODY_HASH_IS "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

struct example {
	const char *name;
	const char *field; /* without the value of b= */
	const char *signature, *key;
	bool rsa;
};

static const struct example examples[] = {
	{ "RFC 8463 A.3, ed25519-sha256",
	    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
	    " d=football.example.com; i=@football.example.com;\r\n"
	    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
	    " subject : date : message-id : from : subject : date;\r\n"
	    " bh=" BODY_HASH_IS ";\r\n b=",
	    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
	    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
	    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", false },
	{ "RFC 8463 A.3, rsa-sha256",
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
	    " d=football.example.com; i=@football.example.com;\r\n"
	    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
	    " date : message-id : from : subject : date;\r\n"
	    " bh=" BODY_HASH_IS ";\r\n b=",
	    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
	    "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
	    "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
	    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3"
	    "idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACD"
	    "fzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLz"
	    "BfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
	    true },
};

static void
feed(void *arg, const char *s, size_t n)
{
	sha256_feed(arg, s, n);
}

/* RFC 6376 A.2 signs the same body; so do the others. */
static void
body_hash(void **state)
{
	struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_SIZE];
	char text[BASE64_SIZE(SHA256_SIZE)];
	struct dkim_body b;

	(void)state;
	dkim_body_init(&b, feed, h);
	dkim_body_feed(&b, BODY, sizeof(BODY) - 1);
	dkim_body_end(&b);
	sha256_end(h, digest);
	base64_encode(digest, sizeof(digest), text);
	assert_string_equal(text, BODY_HASH_IS);
	sha256_free(h);
}

static void
put_field(struct sha256 *h, const char *name)
{
	const char *at = strstr(HEADER, name);

	assert_non_null(at);
	dkim_field(at, (size_t)(strstr(at, "\r\n") + 2 - at), feed, h);
	sha256_feed(h, "\r\n", 2);
}

static EVP_PKEY *
read_key(const struct example *e)
{
	unsigned char raw[512];
	const unsigned char *p = raw;
	EVP_PKEY *key;
	size_t n;

	assert_true(
	    base64_decode(e->key, strlen(e->key), raw, sizeof(raw), &n));
	key = e->rsa
	    ? d2i_PUBKEY(NULL, &p, (long)n)
	    : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, n);
	assert_non_null(key);
	return key;
}

static bool
verify(const struct example *e, const uint8_t digest[SHA256_SIZE])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY *key = read_key(e);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	unsigned char signature[512];
	bool good;
	size_t n;

	assert_true(base64_decode(e->signature, strlen(e->signature), signature,
	    sizeof(signature), &n));
	if (e->rsa)
		good = EVP_PKEY_verify_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_verify(ctx, signature, n, digest, SHA256_SIZE) ==
			1;
	else
		good = EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(md, signature, n, digest, SHA256_SIZE) ==
			1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(md);
	return good;
}

static void
signature_verifies(void **state)
{
	const struct example *e = *state;
	struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_SIZE];

	put_field(h, "From:");
	put_field(h, "To:");
	put_field(h, "Subject:");
	put_field(h, "Date:");
	put_field(h, "Message-ID:");
	dkim_field(e->field, strlen(e->field), feed, h);
	sha256_end(h, digest);
	assert_true(verify(e, digest));
	digest[0] ^= 1;
	assert_false(verify(e, digest));
	sha256_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_hash),
		{ examples[0].name, signature_verifies, NULL, NULL,
		    (void *)(uintptr_t)&examples[0] },
		{ examples[1].name, signature_verifies, NULL, NULL,
		    (void *)(uintptr_t)&examples[1] },
	};

	return cmocka_run_group_tests_name("dkim", tests, NULL, NULL);
}
