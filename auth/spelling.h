/*
 * spelling.h - one password or name, several ways to write it in bytes.
 *
 * Keyboards and systems differ in how they compose "é", and servers before
 * UTF-8 hashed Latin-1.  Safe in any thread.
 */
#ifndef AUTH_SPELLING_H
#define AUTH_SPELLING_H

#include <stdbool.h>

#define SPELLING_MAX 1024 /* bytes, with the NUL */

/*
 * The n-th spelling of a secret that is worth a try, from 0: the bytes as
 * they came, the composed form (Unicode's NFC), Latin-1.  False when there is
 * no n-th; one that equals an earlier one is left out.  Whoever uses out wipes
 * it.
 */
bool spelling_of(const char *secret, int n, char out[SPELLING_MAX]);

/* The form to hash (NFC), or the bytes as they are when there is none. */
void spelling_compose(const char *secret, char out[SPELLING_MAX]);

/* The form that SCRAM hashes (RFC 5802 5.1, SASLprep: NFKC). */
void spelling_prepare(const char *secret, char out[SPELLING_MAX]);

/*
 * A name in its one spelling: small letters, composed (Unicode's NFC), as
 * RFC 8265 3.3 has it.  False when it is ASCII, or does not fit: there is
 * nothing to do.
 */
bool spelling_fold(const char *name, char out[SPELLING_MAX]);

#endif
