/*
 * sha256.h - SHA-256 of bytes that come in pieces (OpenSSL behind it).
 */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX  (2 * SHA256_SIZE + 1) /* as digits, with a NUL */

struct sha256;

/* Never NULL. */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *);
void sha256_feed(struct sha256 *, const void *, size_t);
/* Begin again. */
void sha256_reset(struct sha256 *);
/* Go on from where another one stands. */
void sha256_copy(struct sha256 *to, const struct sha256 *from);
/* Only free, reset or copy to it after this. */
void sha256_end(struct sha256 *, uint8_t out[SHA256_SIZE]);

#endif
