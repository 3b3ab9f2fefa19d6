/*
 * digest.h - keyed digests of strings, under a key that is made at each start
 * and never leaves this process.
 *
 * Whoever does not know the key can neither guess what a digest was made of
 * nor choose strings whose digests collide.  For the loop's thread only.
 */
#ifndef AUTH_DIGEST_H
#define AUTH_DIGEST_H

#define DIGEST_SIZE 32

/* HMAC-SHA256 over a, b and c, each with its NUL; NULL stands for "". */
void digest_make(unsigned char out[DIGEST_SIZE], const char *a, const char *b,
    const char *c);

#endif
