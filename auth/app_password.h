/*
 * app_password.h - passwords that a machine has chosen, one for each device.
 *
 * 24 letters of an alphabet of 31 are 118 random bits: nobody finds one by
 * trying, however fast the hash.  So it is one SHA-256 without a salt, and a
 * login with one costs microseconds.  That they are random is certain because
 * they are made here and nowhere else; import takes digests, no passwords.
 */
#ifndef AUTH_APP_PASSWORD_H
#define AUTH_APP_PASSWORD_H

#include "auth/book.h"
#include "lib/sha256.h"

#define APP_PASSWORD        28 /* "abcdef-ghjkmn-pqrstu-vwxyz2" and a NUL */
#define APP_PASSWORD_DIGEST SHA256_HEX

/* False when there is no randomness. */
bool
app_password_make(char secret[APP_PASSWORD], char digest[APP_PASSWORD_DIGEST]);

/* The account's app password that this is, however its owner grouped the
 * letters, or NULL. */
const struct card *app_password_find(const struct page *, const char *typed);

#endif
