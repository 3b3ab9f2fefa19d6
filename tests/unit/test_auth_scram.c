/*
 * SCRAM: the exchange of RFC 7677, and all that must not pass for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/scram.h"
#include "mail/base64.h"

#define CLIENT "rOprNGfwEbeRWgbNEkqO"
#define SERVER "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCE  "0123456789abcdefghijklmn"

static struct scram s;
static char out[SCRAM_MESSAGE];

static enum scram_result
first(const char *text, bool plus, bool offered)
{
	return scram_first(&s, text, strlen(text), plus, offered);
}

static enum scram_result
final(const char *text, const char *binding)
{
	return scram_final(&s, text, strlen(text),
	    (const unsigned char *)binding, strlen(binding), out);
}

/* The verifier of "pencil" with the salt of RFC 7677. */
static struct scram_verifier
pencil(void)
{
	struct scram_verifier v = { .iterations = 4096, .key_len = SCRAM_KEY };
	unsigned char salted[SCRAM_KEY], client[SCRAM_KEY];
	unsigned n;

	base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==", 24, v.salt, sizeof(v.salt),
	    &v.salt_len);
	PKCS5_PBKDF2_HMAC("pencil", 6, v.salt, (int)v.salt_len, 4096,
	    EVP_sha256(), SCRAM_KEY, salted);
	HMAC(EVP_sha256(), salted, SCRAM_KEY,
	    (const unsigned char *)"Client Key", 10, client, &n);
	EVP_Digest(client, SCRAM_KEY, v.stored, NULL, EVP_sha256(), NULL);
	HMAC(EVP_sha256(), salted, SCRAM_KEY,
	    (const unsigned char *)"Server Key", 10, v.server, &n);
	return v;
}

/* As a client with this password answers the challenge. */
static void
prove(const char *password, const char *bare, const char *challenge,
    const char *c, char text[SCRAM_MESSAGE])
{
	struct scram_verifier v = pencil();
	unsigned char salted[SCRAM_KEY], client[SCRAM_KEY], stored[SCRAM_KEY],
	    proof[SCRAM_KEY];
	char all[3 * SCRAM_MESSAGE], without[SCRAM_MESSAGE / 2], base64[64];
	unsigned n;

	PKCS5_PBKDF2_HMAC(password, -1, v.salt, (int)v.salt_len, 4096,
	    EVP_sha256(), SCRAM_KEY, salted);
	HMAC(EVP_sha256(), salted, SCRAM_KEY,
	    (const unsigned char *)"Client Key", 10, client, &n);
	EVP_Digest(client, SCRAM_KEY, stored, NULL, EVP_sha256(), NULL);
	snprintf(without, sizeof(without), "c=%s,%.*s", c,
	    (int)strcspn(challenge, ","), challenge);
	snprintf(all, sizeof(all), "%s,%s,%s", bare, challenge, without);
	HMAC(EVP_sha256(), stored, SCRAM_KEY, (const unsigned char *)all,
	    strlen(all), proof, &n);
	for (int i = 0; i < SCRAM_KEY; i++)
		proof[i] ^= client[i];
	base64_encode(proof, SCRAM_KEY, base64);
	snprintf(text, SCRAM_MESSAGE, "%s,p=%s", without, base64);
}

/* RFC 7677 3; its server nonce is not of our length, so it is put in. */
static void
the_example_of_rfc_7677(void **state)
{
	struct scram_verifier v = pencil();
	char challenge[SCRAM_MESSAGE];

	(void)state;
	assert_int_equal(first("n,,n=user,r=" CLIENT, false, false), SCRAM_OK);
	assert_string_equal(s.user, "user");
	scram_challenge(&s, &v, NONCE, challenge);
	assert_string_equal(
	    challenge, "r=" CLIENT NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
	strcpy(s.nonce, CLIENT SERVER);
	strcpy(
	    s.server, "r=" CLIENT SERVER ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
	assert_int_equal(
	    final("c=biws,r=" CLIENT SERVER
		  ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		""),
	    SCRAM_OK);
	assert_string_equal(
	    out, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
	assert_int_equal(
	    final("c=biws,r=" CLIENT SERVER
		  ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		""),
	    SCRAM_WRONG);
}

static void
another_password_is_wrong(void **state)
{
	struct scram_verifier v = pencil();
	char challenge[SCRAM_MESSAGE], text[SCRAM_MESSAGE];

	(void)state;
	first("n,,n=u,r=abc", false, false);
	scram_challenge(&s, &v, NONCE, challenge);
	prove("pencil", s.bare, challenge, "biws", text);
	assert_int_equal(final(text, ""), SCRAM_OK);
	prove("pen", s.bare, challenge, "biws", text);
	assert_int_equal(final(text, ""), SCRAM_WRONG);
}

static void
the_channel_is_bound(void **state)
{
	static const char gs2[] = "p=tls-exporter,,";
	struct scram_verifier v = pencil();
	char challenge[SCRAM_MESSAGE], text[SCRAM_MESSAGE], c[128], raw[64];

	(void)state;
	assert_int_equal(
	    first("p=tls-exporter,,n=u,r=abc", true, true), SCRAM_OK);
	assert_string_equal(s.binding, "tls-exporter");
	scram_challenge(&s, &v, NONCE, challenge);
	snprintf(raw, sizeof(raw), "%sCHANNEL", gs2);
	base64_encode(raw, strlen(raw), c);
	prove("pencil", s.bare, challenge, c, text);
	assert_int_equal(final(text, "CHANNEL"), SCRAM_OK);
	assert_int_equal(final(text, "CHANNEX"), SCRAM_UNBOUND);
	assert_int_equal(final(text, "CHANNEL2"), SCRAM_UNBOUND);
	assert_int_equal(final(text, ""), SCRAM_UNBOUND);
	/* Another header than it began with. */
	prove("pencil", s.bare, challenge, "biws", text);
	assert_int_equal(final(text, "CHANNEL"), SCRAM_UNBOUND);
}

static void
a_downgrade_is_seen(void **state)
{
	(void)state;
	assert_int_equal(first("y,,n=u,r=abc", false, true), SCRAM_DOWNGRADE);
	assert_int_equal(first("y,,n=u,r=abc", false, false), SCRAM_OK);
	assert_int_equal(first("n,,n=u,r=abc", false, true), SCRAM_OK);
	assert_int_equal(first("n,,n=u,r=abc", true, true), SCRAM_MALFORMED);
	assert_int_equal(first("y,,n=u,r=abc", true, true), SCRAM_MALFORMED);
	assert_int_equal(
	    first("p=tls-exporter,,n=u,r=abc", false, true), SCRAM_MALFORMED);
}

static void
names_are_decoded(void **state)
{
	(void)state;
	assert_int_equal(first("n,,n=a=2Cb=3Dc,r=x", false, false), SCRAM_OK);
	assert_string_equal(s.user, "a,b=c");
	assert_int_equal(first("n,a=u,n=u,r=x", false, false), SCRAM_OK);
	assert_int_equal(first("n,a=v,n=u,r=x", false, false), SCRAM_AUTHZID);
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[] = { "", "n", "n,", "n,,",
		"n,,n=", "n,,n=u", "n,,n=u,r=", "n,,r=x,n=u", "n,,m=x,n=u,r=x",
		"n,,n=a=2,r=x", "n,,n=a=41,r=x", "n,,n=\xff,r=x", "x,,n=u,r=x",
		"n,,n=u,r=a b", "n,a=,n=u,r=x", "p=,,n=u,r=x",
		"n,,n=\x01,r=x" };
	static const char *const finals[] = { "", "c=biws", "c=biws,r=x",
		"c=biws,r=x,p=", "r=x,c=biws,p=AAAA", ",p=AAAA" };
	struct scram_verifier v = pencil();
	char challenge[SCRAM_MESSAGE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    first(bad[i], bad[i][0] == 'p', false), SCRAM_MALFORMED);
	first("n,,n=u,r=abc", false, false);
	scram_challenge(&s, &v, NONCE, challenge);
	for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++)
		assert_int_equal(final(finals[i], ""), SCRAM_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_7677),
		cmocka_unit_test(another_password_is_wrong),
		cmocka_unit_test(the_channel_is_bound),
		cmocka_unit_test(a_downgrade_is_seen),
		cmocka_unit_test(names_are_decoded),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
