/*
 * hash.h - password hashes as other servers write them, in postern's spelling
 * (auth/scheme.h and crypt(3)).  Pure but for the salt of a plain password.
 */
#ifndef CTL_HASH_H
#define CTL_HASH_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/messages.h"

enum hash_result {
	HASH_READ,
	HASH_HOPELESS, /* of a scheme that cannot be checked, or malformed */
	HASH_NONE,     /* no hash of any kind: perhaps the password itself */
	HASH_CUT,      /* it is not as long as its kind is */
};

/*
 * Read what stands in the password field of shadow, htpasswd or a Dovecot
 * passwd-file: a crypt(3) string, "{SCHEME}data", "{SCHEME.b64}data" or
 * "{SCHEME.hex}data".  A plain password becomes {SSHA512}: fast enough for a
 * hundred thousand, and yescrypt takes its place at the first login.
 *
 *   out    the hash; "" where there is none at all ("", "*", "!", "!!", "x",
 *          "NP"): nobody could ever log in with it.  A lock in front of a hash
 *          ("!", "*LK*") stays: out begins with "!".
 *   scram  the verifier for SCRAM-SHA-256, or ""
 */
enum hash_result hash_read(const char *text, char out[HASH_SIZE],
    char scram[sizeof(((struct msg_item *)0)->scram)]);

/* Is it a whole hash, where a plain password is to be?  What only begins like
 * one may well be a password. */
bool hash_is_one(const char *text);

/* {SSHA512} of a plain password; false when it is empty or too long. */
bool hash_plain(const char *password, char out[HASH_SIZE]);

/* Put the lock in front of a hash. */
void hash_lock(char hash[HASH_SIZE]);

#endif
