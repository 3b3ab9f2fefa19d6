/*
 * dkim_key.c - see dkim_key.h.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_key.h"
#include "mail/base64.h"

#define RSA_BITS 2048
#define DER_MAX  2048

EVP_PKEY *
dkim_key_new(enum dkim_algorithm algorithm)
{
	EVP_PKEY *key = algorithm == DKIM_RSA
	    ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
	    : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (key == NULL)
		ERR_clear_error();
	return key;
}

bool
dkim_key_secret(const EVP_PKEY *key, char *out, size_t size)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char der[DER_MAX], *p = der;
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;
	bool fits = n > 0 && n <= DER_MAX && BASE64_SIZE((size_t)n) <= size;

	if (fits) {
		i2d_PKCS8_PRIV_KEY_INFO(info, &p);
		base64_encode(der, (size_t)n, out);
		explicit_bzero(der, sizeof(der));
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	return fits;
}

EVP_PKEY *
dkim_key_read(const char *secret)
{
	unsigned char der[DER_MAX];
	const unsigned char *p = der;
	EVP_PKEY *key = NULL;
	size_t n;

	if (base64_decode(secret, strlen(secret), der, sizeof(der), &n))
		key = d2i_AutoPrivateKey(NULL, &p, (long)n);
	explicit_bzero(der, sizeof(der));
	if (key == NULL)
		ERR_clear_error();
	return key;
}

bool
dkim_key_public(
    const EVP_PKEY *key, enum dkim_algorithm algorithm, char *out, size_t size)
{
	unsigned char raw[DER_MAX], *p = raw;
	size_t n = sizeof(raw);

	if (algorithm == DKIM_RSA) {
		int len = i2d_PUBKEY(key, NULL);

		if (len <= 0 || len > DER_MAX)
			return false;
		n = (size_t)i2d_PUBKEY(key, &p);
	} else if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1) {
		return false;
	}
	if (BASE64_SIZE(n) > size)
		return false;
	base64_encode(raw, n, out);
	return true;
}

/* RSASSA-PKCS1-v1_5 of the digest (RFC 6376 3.3.2). */
static bool
sign_rsa(EVP_PKEY *key, const uint8_t *digest, uint8_t *out, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, out, n, digest, DKIM_DIGEST) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* PureEdDSA, and what it signs is the digest (RFC 8463 3). */
static bool
sign_ed25519(EVP_PKEY *key, const uint8_t *digest, uint8_t *out, size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, out, n, digest, DKIM_DIGEST) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

bool
dkim_key_sign(EVP_PKEY *key, enum dkim_algorithm algorithm,
    const uint8_t digest[DKIM_DIGEST], uint8_t out[DKIM_SIGNATURE], size_t *n)
{
	bool good;

	*n = DKIM_SIGNATURE;
	good = algorithm == DKIM_RSA ? sign_rsa(key, digest, out, n)
				     : sign_ed25519(key, digest, out, n);
	if (!good)
		ERR_clear_error();
	return good;
}
