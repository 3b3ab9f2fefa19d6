/*
 * authority.h - postern's own small certificate authority: client
 * certificates for people whose mail program wants one.
 *
 * Its key is made with the first certificate and never leaves the store.
 * Nobody trusts its signature, postern included: a login is good because its
 * key is known (credential_of_key()), and stays so until that is revoked.
 */
#ifndef AUTH_AUTHORITY_H
#define AUTH_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sha256.h"

/*
 * Make a key (P-256) and a certificate for a login, as PKCS#12 under a
 * passphrase.
 *
 *   label    of the credential, for the eyes of its owner
 *   expires  unix seconds; 0 in ten years
 *   out      the file; *n its length, at most size
 *   digest   SHA-256 of the new key (SPKI) in hex
 *
 * False when something is missing: randomness, memory, room on the disk.
 */
bool authority_issue(const char *login, const char *label, uint64_t expires,
    const char *passphrase, uint8_t *out, size_t size, size_t *n,
    char digest[SHA256_HEX]);

#endif
