/*
 * crypt_kind.h - of which kind a crypt(3) string is, by its looks.  Pure.
 */
#ifndef LIB_CRYPT_KIND_H
#define LIB_CRYPT_KIND_H

#include <stdbool.h>

struct crypt_kind {
	const char *prefix, *name;
	bool weak;    /* to be made anew with yescrypt */
	unsigned end; /* letters behind the last $; 0 any number */
};

/* "yescrypt", "descrypt", ...; "locked" for what begins with "!" or "*",
 * "none" for "", "unknown" for what is none. */
const struct crypt_kind *crypt_kind(const char *hash);

/* False when letters are missing at its end, or are too many there: then no
 * password will ever be right. */
bool crypt_whole(const char *hash);

#endif
