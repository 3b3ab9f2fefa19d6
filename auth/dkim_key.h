/*
 * dkim_key.h - a key pair of DKIM: made, written as text, signing.
 */
#ifndef AUTH_DKIM_KEY_H
#define AUTH_DKIM_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

#define DKIM_DIGEST    32  /* bytes: SHA-256 */
#define DKIM_SIGNATURE 512 /* bytes at most */

/* Make one; RSA has 2,048 bits (RFC 8301 3.2), which takes a tenth of a
 * second.  NULL when OpenSSL has no luck. */
EVP_PKEY *dkim_key_new(enum dkim_algorithm);

/* PKCS #8 in base64 into out[size]; false when it does not fit. */
bool dkim_key_secret(const EVP_PKEY *, char *out, size_t size);
/* The other way; NULL when it is none. */
EVP_PKEY *dkim_key_read(const char *secret);

/* The value of p= (RFC 6376 3.6.1, RFC 8463 4.2); false: does not fit. */
bool
dkim_key_public(const EVP_PKEY *, enum dkim_algorithm, char *out, size_t size);

/* Sign a digest; *n is set to the length.  False when OpenSSL fails. */
bool dkim_key_sign(EVP_PKEY *, enum dkim_algorithm,
    const uint8_t digest[DKIM_DIGEST], uint8_t out[DKIM_SIGNATURE], size_t *n);

#endif
