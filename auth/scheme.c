/*
 * scheme.c - see scheme.h.
 */
#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme.h"
#include "auth/scram_verifier.h"
#include "lib/hex.h"
#include "mail/base64.h"

#define RAW_MOST     256          /* bytes of digest and salt */
#define ROUNDS_MOST  1000000      /* of PBKDF2 */
#define MEMORY_MOST  (256 * 1024) /* KiB of argon2 */
#define PASSES_MOST  64
#define PBKDF2_BYTES 20
#define APR1_ROUNDS  1000
#define APR1_SALT    8
#define MD5_BYTES    16

struct scheme;
typedef bool
check_fn(const struct scheme *, const char *data, const char *secret);

static check_fn digest, pbkdf2, scram, apr1, argon2;

/* With a secret of NULL a check says whether the data is well formed. */
static const struct scheme {
	const char *prefix, *name;
	check_fn *check;
	const EVP_MD *(*md)(void);
	bool salted;
} schemes[] = {
	/* clang-format off */
	{ "{MD5}",           "md5",           digest, EVP_md5,    false },
	{ "{SMD5}",          "smd5",          digest, EVP_md5,    true },
	{ "{SHA}",           "sha1",          digest, EVP_sha1,   false },
	{ "{SSHA}",          "ssha",          digest, EVP_sha1,   true },
	{ "{SHA256}",        "sha256",        digest, EVP_sha256, false },
	{ "{SSHA256}",       "ssha256",       digest, EVP_sha256, true },
	{ "{SHA512}",        "sha512",        digest, EVP_sha512, false },
	{ "{SSHA512}",       "ssha512",       digest, EVP_sha512, true },
	{ "{PBKDF2}",        "pbkdf2",        pbkdf2, NULL,       true },
	{ "{SCRAM-SHA-1}",   "scram-sha-1",   scram,  EVP_sha1,   true },
	{ "{SCRAM-SHA-256}", "scram-sha-256", scram,  EVP_sha256, true },
	{ "$apr1$",          "apr1",          apr1,   NULL,       true },
	{ "$argon2i$",       "argon2i",       argon2, NULL,       true },
	{ "$argon2id$",      "argon2id",      argon2, NULL,       true },
	/* clang-format on */
};

static bool
same(const unsigned char *a, const unsigned char *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

static bool
digest(const struct scheme *s, const char *data, const char *secret)
{
	unsigned char raw[RAW_MOST], made[EVP_MAX_MD_SIZE];
	const EVP_MD *md = s->md();
	size_t n, size = (size_t)EVP_MD_get_size(md);
	EVP_MD_CTX *ctx;
	bool ok;

	if (!base64_decode(data, strlen(data), raw, sizeof(raw), &n) ||
	    n < size || (!s->salted && n > size))
		return false;
	if (secret == NULL)
		return true;
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
	    EVP_DigestUpdate(ctx, secret, strlen(secret)) == 1 &&
	    EVP_DigestUpdate(ctx, raw + size, n - size) == 1 &&
	    EVP_DigestFinal_ex(ctx, made, NULL) == 1 && same(made, raw, size);
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* "$1$salt$rounds$hex"; the salt is the letters as they stand. */
static bool
pbkdf2(const struct scheme *s, const char *data, const char *secret)
{
	unsigned char want[PBKDF2_BYTES], made[PBKDF2_BYTES];
	const char *salt = data + 3, *end;
	unsigned long rounds;
	char *rest;

	(void)s;
	if (strncmp(data, "$1$", 3) != 0 || (end = strchr(salt, '$')) == NULL ||
	    end == salt)
		return false;
	rounds = strtoul(end + 1, &rest, 10);
	if (rounds == 0 || rounds > ROUNDS_MOST || *rest != '$' ||
	    strlen(rest + 1) != 2 * sizeof(want) ||
	    !hex_read(rest + 1, want, sizeof(want)))
		return false;
	if (secret == NULL)
		return true;
	return PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret),
		   (const unsigned char *)salt, (int)(end - salt), (int)rounds,
		   EVP_sha1(), PBKDF2_BYTES, made) == 1 &&
	    same(made, want, sizeof(want));
}

static bool
scram(const struct scheme *s, const char *data, const char *secret)
{
	size_t n = (size_t)EVP_MD_get_size(s->md());
	struct scram_verifier v;

	return secret == NULL ? scram_verifier_parse(&v, data, n)
			      : scram_verifier_right(secret, data, n);
}

/* The number behind "name" in the parameters, 0 when there is none. */
static unsigned long
parameter(const char *data, const char *name)
{
	const char *at = strstr(data, name);

	return at == NULL ? 0 : strtoul(at + strlen(name), NULL, 10);
}

static bool
argon2(const struct scheme *s, const char *data, const char *secret)
{
	unsigned long memory = parameter(data, "m="),
		      passes = parameter(data, "t=");
	argon2_type type = s->prefix[8] == 'd' ? Argon2_id : Argon2_i;

	if (memory == 0 || memory > MEMORY_MOST || passes == 0 ||
	    passes > PASSES_MOST || parameter(data, "p=") > 16)
		return false;
	/* libargon2 wants the prefix too. */
	data -= strlen(s->prefix);
	return secret == NULL ||
	    argon2_verify(data, secret, strlen(secret), type) == ARGON2_OK;
}

/* Feed n bytes of a digest that has only MD5_BYTES, again and again. */
static void
stretch(EVP_MD_CTX *ctx, const unsigned char *d, size_t n)
{
	for (; n > MD5_BYTES; n -= MD5_BYTES)
		EVP_DigestUpdate(ctx, d, MD5_BYTES);
	EVP_DigestUpdate(ctx, d, n);
}

/* The digest of Poul-Henning Kamp's md5crypt, under Apache's magic. */
static void
apr1_digest(EVP_MD_CTX *ctx, const char *secret, const char *salt,
    size_t salt_len, unsigned char d[MD5_BYTES])
{
	const EVP_MD *md = EVP_md5();
	size_t n = strlen(secret);

	EVP_DigestInit_ex(ctx, md, NULL);
	EVP_DigestUpdate(ctx, secret, n);
	EVP_DigestUpdate(ctx, salt, salt_len);
	EVP_DigestUpdate(ctx, secret, n);
	EVP_DigestFinal_ex(ctx, d, NULL);
	EVP_DigestInit_ex(ctx, md, NULL);
	EVP_DigestUpdate(ctx, secret, n);
	EVP_DigestUpdate(ctx, "$apr1$", 6);
	EVP_DigestUpdate(ctx, salt, salt_len);
	stretch(ctx, d, n);
	for (size_t i = n; i > 0; i >>= 1)
		EVP_DigestUpdate(ctx, i & 1 ? "" : secret, 1);
	EVP_DigestFinal_ex(ctx, d, NULL);
	for (int i = 0; i < APR1_ROUNDS; i++) {
		EVP_DigestInit_ex(ctx, md, NULL);
		if (i & 1)
			EVP_DigestUpdate(ctx, secret, n);
		else
			EVP_DigestUpdate(ctx, d, MD5_BYTES);
		if (i % 3 != 0)
			EVP_DigestUpdate(ctx, salt, salt_len);
		if (i % 7 != 0)
			EVP_DigestUpdate(ctx, secret, n);
		if (i & 1)
			EVP_DigestUpdate(ctx, d, MD5_BYTES);
		else
			EVP_DigestUpdate(ctx, secret, n);
		EVP_DigestFinal_ex(ctx, d, NULL);
	}
}

/* Its own alphabet and its own order of the bytes. */
static void
apr1_text(const unsigned char d[MD5_BYTES], char out[23])
{
	static const char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz";
	static const int order[5][3] = { { 0, 6, 12 }, { 1, 7, 13 },
		{ 2, 8, 14 }, { 3, 9, 15 }, { 4, 10, 5 } };
	unsigned long v;

	for (int i = 0; i < 5; i++) {
		v = (unsigned long)d[order[i][0]] << 16 |
		    (unsigned long)d[order[i][1]] << 8 | d[order[i][2]];
		for (int k = 0; k < 4; k++, v >>= 6)
			*out++ = letters[v & 63];
	}
	*out++ = letters[d[11] & 63];
	*out++ = letters[d[11] >> 6];
	*out = '\0';
}

static bool
apr1(const struct scheme *s, const char *data, const char *secret)
{
	const char *dollar = strchr(data, '$');
	unsigned char d[MD5_BYTES];
	EVP_MD_CTX *ctx;
	char made[23];

	(void)s;
	if (dollar == NULL || dollar - data > APR1_SALT ||
	    strlen(dollar + 1) != sizeof(made) - 1)
		return false;
	if (secret == NULL)
		return true;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		abort();
	apr1_digest(ctx, secret, data, (size_t)(dollar - data), d);
	EVP_MD_CTX_free(ctx);
	apr1_text(d, made);
	return CRYPTO_memcmp(made, dollar + 1, sizeof(made) - 1) == 0;
}

static const struct scheme *
find(const char *hash)
{
	const struct scheme *s;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		s = &schemes[i];
		if (strncmp(hash, s->prefix, strlen(s->prefix)) == 0)
			return s;
	}
	return NULL;
}

const char *
scheme_kind(const char *hash)
{
	const struct scheme *s = find(hash);

	return s != NULL && s->check(s, hash + strlen(s->prefix), NULL)
	    ? s->name
	    : NULL;
}

bool
scheme_right(const char *secret, const char *hash)
{
	const struct scheme *s = find(hash);

	return s != NULL && s->check(s, hash + strlen(s->prefix), secret);
}
