/*
 * digest.c - see digest.h.
 *
 * The context keeps the key: starting it anew without one costs no more than
 * copying two hash states.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "auth/digest.h"
#include "lib/log.h"

static EVP_MAC_CTX *ctx;

static void
make_key(void)
{
	unsigned char key[DIGEST_SIZE];
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (mac == NULL || (ctx = EVP_MAC_CTX_new(mac)) == NULL ||
	    RAND_bytes(key, sizeof(key)) != 1 ||
	    EVP_MAC_init(ctx, key, sizeof(key), params) != 1)
		fatal("cannot make a random key");
	EVP_MAC_free(mac);
	explicit_bzero(key, sizeof(key));
}

static int
eat(const char *s)
{
	if (s == NULL)
		s = "";
	return EVP_MAC_update(ctx, (const unsigned char *)s, strlen(s) + 1);
}

void
digest_make(
    unsigned char out[DIGEST_SIZE], const char *a, const char *b, const char *c)
{
	size_t n;

	if (ctx == NULL)
		make_key();
	if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1 || eat(a) != 1 ||
	    eat(b) != 1 || eat(c) != 1 ||
	    EVP_MAC_final(ctx, out, &n, DIGEST_SIZE) != 1 || n != DIGEST_SIZE)
		fatal("HMAC failed");
}
