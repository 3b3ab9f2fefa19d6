/*
 * crypt_kind.c - see crypt_kind.h.
 */
#include <stddef.h>
#include <string.h>

#include "lib/crypt_kind.h"

/* The first prefix that fits is the one. */
static const struct crypt_kind kinds[] = {
	/* clang-format off */
	/* yescrypt cheaper than libxcrypt's default of today (count 5) */
	{ "$y$j75$",  "yescrypt",      true,  43 },
	{ "$y$j85$",  "yescrypt",      true,  43 },
	{ "$y$j7T$",  "yescrypt",      true,  43 },
	{ "$y$j8T$",  "yescrypt",      true,  43 },
	{ "$y$",      "yescrypt",      false, 43 },
	{ "$gy$",     "gost-yescrypt", false, 43 },
	{ "$7$",      "scrypt",        false, 43 },
	{ "$2",       "bcrypt",        true,  53 },
	{ "$6$",      "sha512crypt",   true,  86 },
	{ "$5$",      "sha256crypt",   true,  43 },
	{ "$sha1",    "sha1crypt",     true,  28 },
	{ "$md5",     "sunmd5",        true,  22 },
	{ "$1$",      "md5crypt",      true,  22 },
	{ "$3$",      "nt",            true,  32 },
	{ "!",        "locked",        false, 0 },
	{ "*",        "locked",        false, 0 },
	/* clang-format on */
};

/* The traditional forms have only these letters. */
static const char letters[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* BSDi: "_", a count and a salt of four, eleven of the hash. */
static bool
is_bsdi(const char *hash)
{
	return hash[0] == '_' && strlen(hash) == 20 &&
	    strspn(hash + 1, letters) == 19;
}

/* A salt of two, and eleven for each eight letters of the password. */
static bool
is_des(const char *hash)
{
	size_t n = strspn(hash, letters);

	return hash[n] == '\0' && n >= 13 && n <= 178 && (n - 2) % 11 == 0;
}

const struct crypt_kind *
crypt_kind(const char *hash)
{
	static const struct crypt_kind none = { "", "none", false, 0 };
	static const struct crypt_kind unknown = { "", "unknown", false, 0 };
	static const struct crypt_kind bsdi = { "", "bsdicrypt", true, 0 };
	static const struct crypt_kind des = { "", "descrypt", true, 0 };

	if (hash[0] == '\0')
		return &none;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) ==
		    0)
			return &kinds[i];
	return is_bsdi(hash) ? &bsdi : is_des(hash) ? &des : &unknown;
}

bool
crypt_whole(const char *hash)
{
	const struct crypt_kind *kind = crypt_kind(hash);
	const char *end = strrchr(hash, '$');

	return kind->end == 0 || (end != NULL && strlen(end + 1) == kind->end);
}
