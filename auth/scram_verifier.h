/*
 * scram_verifier.h - what proves a SCRAM client without its password (RFC
 * 5802 3, RFC 7677): "iterations,salt,StoredKey,ServerKey", the last three in
 * base64, as Dovecot writes it.  Safe in any thread.
 */
#ifndef AUTH_SCRAM_VERIFIER_H
#define AUTH_SCRAM_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>

#define SCRAM_VERIFIER   224 /* as text, with its NUL */
#define SCRAM_MADE       128 /* the same of one made here */
#define SCRAM_ITERATIONS 16384
#define SCRAM_KEY        32 /* bytes of SHA-256 */
#define SCRAM_SALT       64 /* bytes at most */

struct scram_verifier {
	unsigned iterations;
	unsigned char salt[SCRAM_SALT];
	size_t salt_len;
	unsigned char stored[SCRAM_KEY], server[SCRAM_KEY];
	size_t key_len; /* 32, or 20 for SCRAM-SHA-1 */
};

/* Make the verifier of a secret with a random salt; SHA-256.  False when
 * there is no randomness. */
bool scram_verifier_make(const char *secret, char out[SCRAM_MADE]);

/* False when it is none of SHA-256 (key_len 32) or SHA-1 (20). */
bool
scram_verifier_parse(struct scram_verifier *, const char *text, size_t key_len);

/* Is the verifier of this secret? */
bool scram_verifier_right(const char *secret, const char *text, size_t key_len);

#endif
