/*
 * siphash.h - SipHash-2-4 with a result of 128 bits: a message authentication
 * code for short messages (Aumasson and Bernstein, 2012), for processes that
 * link no library of cryptography.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Whoever does not have the key can neither make nor tell the result. */
void
siphash(const uint64_t key[2], const uint8_t *in, size_t n, uint64_t out[2]);

#endif
