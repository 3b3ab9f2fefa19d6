/*
 * password.h - password hashes: make them, check against them, name them.
 *
 * A hash is a crypt(3) string or one of scheme.h.  The only user of
 * <crypt.h>.  Safe in any thread.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>

#include "ipc/messages.h"

#define PASSWORD_MAX  255       /* bytes, as in RFC 4616 */
#define PASSWORD_HASH HASH_SIZE /* with its NUL */

/* Is this something to hash at all: 1 to PASSWORD_MAX bytes? */
bool password_usable(const char *secret);

/*
 * Hash a usable secret, in its composed form, with yescrypt at libxcrypt's
 * default cost (about 20 ms and 16 MiB).  False when it is not usable or the
 * system has no randomness.
 */
bool password_make(const char *secret, char hash[PASSWORD_HASH]);

/*
 * Is secret what this string was made of, in any of its spellings
 * (spelling.h)?  Any format of libxcrypt and of scheme.h; false for locked,
 * empty and unknown ones.  Takes as long as the format does, and the same for
 * right and wrong.
 */
bool password_right(const char *secret, const char *hash);

/* "yescrypt", "sha512crypt", ...; "locked" for "!" and "*", "none" for "",
 * "unknown" for what cannot be checked here. */
const char *password_kind(const char *hash);

/* Should it be made anew with yescrypt as soon as the secret is known? */
bool password_weak(const char *hash);

#endif
