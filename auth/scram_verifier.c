/*
 * scram_verifier.c - see scram_verifier.h.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scram_verifier.h"
#include "auth/spelling.h"
#include "mail/base64.h"

#define MADE_SALT       16
#define MOST_ITERATIONS 1000000 /* a second and more of one processor */

static const EVP_MD *
digest_of(size_t key_len)
{
	return key_len == SCRAM_KEY ? EVP_sha256() : EVP_sha1();
}

/* v->stored and v->server, from all else in it. */
static bool
derive(struct scram_verifier *v, const char *secret)
{
	const EVP_MD *md = digest_of(v->key_len);
	unsigned char salted[SCRAM_KEY], client[SCRAM_KEY];
	char prepared[SPELLING_MAX];
	unsigned n;
	bool ok;

	spelling_prepare(secret, prepared);
	ok = PKCS5_PBKDF2_HMAC(prepared, (int)strlen(prepared), v->salt,
		 (int)v->salt_len, (int)v->iterations, md, (int)v->key_len,
		 salted) == 1 &&
	    HMAC(md, salted, (int)v->key_len,
		(const unsigned char *)"Client Key", 10, client, &n) != NULL &&
	    EVP_Digest(client, v->key_len, v->stored, NULL, md, NULL) == 1 &&
	    HMAC(md, salted, (int)v->key_len,
		(const unsigned char *)"Server Key", 10, v->server, &n) != NULL;
	explicit_bzero(prepared, sizeof(prepared));
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return ok;
}

bool
scram_verifier_make(const char *secret, char out[SCRAM_MADE])
{
	struct scram_verifier v = { .iterations = SCRAM_ITERATIONS,
		.salt_len = MADE_SALT,
		.key_len = SCRAM_KEY };
	char salt[BASE64_SIZE(MADE_SALT)], stored[BASE64_SIZE(SCRAM_KEY)],
	    server[BASE64_SIZE(SCRAM_KEY)];

	if (RAND_bytes(v.salt, MADE_SALT) != 1 || !derive(&v, secret))
		return false;
	base64_encode(v.salt, v.salt_len, salt);
	base64_encode(v.stored, v.key_len, stored);
	base64_encode(v.server, v.key_len, server);
	snprintf(
	    out, SCRAM_MADE, "%u,%s,%s,%s", v.iterations, salt, stored, server);
	explicit_bzero(&v, sizeof(v));
	return true;
}

/* The bytes of one part, up to a comma or the end; what is behind it. */
static const char *
part(const char *text, unsigned char *out, size_t size, size_t *len)
{
	size_t n = strcspn(text, ",");

	if (!base64_decode(text, n, out, size, len))
		return NULL;
	return text[n] == ',' ? text + n + 1 : text + n;
}

bool
scram_verifier_parse(struct scram_verifier *v, const char *text, size_t key_len)
{
	char *rest;
	unsigned long iterations;
	size_t stored, server;

	memset(v, 0, sizeof(*v));
	if (*text < '1' || *text > '9')
		return false;
	iterations = strtoul(text, &rest, 10);
	if (*rest != ',' || iterations > MOST_ITERATIONS)
		return false;
	v->iterations = (unsigned)iterations;
	v->key_len = key_len;
	text = rest + 1;
	return (text = part(text, v->salt, sizeof(v->salt), &v->salt_len)) !=
	    NULL &&
	    v->salt_len > 0 &&
	    (text = part(text, v->stored, key_len, &stored)) != NULL &&
	    stored == key_len &&
	    (text = part(text, v->server, key_len, &server)) != NULL &&
	    server == key_len && *text == '\0';
}

bool
scram_verifier_right(const char *secret, const char *text, size_t key_len)
{
	struct scram_verifier v, made;

	if (!scram_verifier_parse(&v, text, key_len))
		return false;
	made = v;
	return derive(&made, secret) &&
	    CRYPTO_memcmp(made.stored, v.stored, key_len) == 0;
}
