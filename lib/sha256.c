/*
 * sha256.c - see sha256.h.
 */
#include <openssl/evp.h>

#include "lib/log.h"
#include "lib/sha256.h"

/* It is the OpenSSL context itself under another name. */
static EVP_MD_CTX *
context(const struct sha256 *s)
{
	return (EVP_MD_CTX *)(uintptr_t)s;
}

void
sha256_reset(struct sha256 *s)
{
	static EVP_MD *md; /* a fetch costs more than hashing a short text */

	if (md == NULL)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (md == NULL || EVP_DigestInit_ex2(context(s), md, NULL) != 1)
		fatal("SHA-256 failed");
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *s = (struct sha256 *)EVP_MD_CTX_new();

	if (s == NULL)
		fatal("SHA-256 failed");
	sha256_reset(s);
	return s;
}

void
sha256_free(struct sha256 *s)
{
	EVP_MD_CTX_free(context(s));
}

void
sha256_feed(struct sha256 *s, const void *data, size_t n)
{
	if (EVP_DigestUpdate(context(s), data, n) != 1)
		fatal("SHA-256 failed");
}

void
sha256_copy(struct sha256 *to, const struct sha256 *from)
{
	if (EVP_MD_CTX_copy_ex(context(to), context(from)) != 1)
		fatal("SHA-256 failed");
}

void
sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE])
{
	if (EVP_DigestFinal_ex(context(s), out, NULL) != 1)
		fatal("SHA-256 failed");
}
