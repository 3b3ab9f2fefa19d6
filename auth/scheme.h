/*
 * scheme.h - password hashes that crypt(3) does not know, as other servers
 * keep them.  Safe in any thread.
 *
 *   {MD5} {SHA} {SHA256} {SHA512}       base64 of the digest
 *   {SMD5} {SSHA} {SSHA256} {SSHA512}   base64 of digest and salt; the digest
 *                                       is of password and salt
 *   {PBKDF2}$1$salt$rounds$hex          HMAC-SHA1, 20 bytes (Dovecot)
 *   {SCRAM-SHA-1} {SCRAM-SHA-256}       scram_verifier.h
 *   $apr1$salt$hash                     Apache's variant of md5crypt
 *   $argon2i$ $argon2id$                RFC 9106, libargon2
 */
#ifndef AUTH_SCHEME_H
#define AUTH_SCHEME_H

#include <stdbool.h>

/* Its name for people ("ssha512", "argon2id"), NULL when it is none of these
 * or cannot be checked: malformed, or more costly than a login may be. */
const char *scheme_kind(const char *hash);

/* Is secret what this string was made of? */
bool scheme_right(const char *secret, const char *hash);

#endif
