/*
 * verified.h - passwords that were found right a moment ago.
 *
 * What is kept is a digest of account, stored hash and password, so a changed
 * or removed password is forgotten by itself, and nobody can read the table.
 * Only right ones are kept: at most 4,096, for ten minutes each.
 */
#ifndef AUTH_VERIFIED_H
#define AUTH_VERIFIED_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/digest.h"

bool verified_find(const unsigned char digest[DIGEST_SIZE], int64_t now_ms);
void verified_add(const unsigned char digest[DIGEST_SIZE], int64_t now_ms);
void verified_close(void);

#endif
