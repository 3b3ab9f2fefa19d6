/*
 * password.c - see password.h.
 */
#include <assert.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "auth/password.h"
#include "auth/scheme.h"
#include "auth/spelling.h"

static_assert(PASSWORD_HASH >= CRYPT_OUTPUT_SIZE, "any crypt string fits");

/* The first prefix that fits is the one. */
static const struct kind {
	const char *prefix;
	const char *name;
	bool weak;
} kinds[] = {
	/* clang-format off */
	/* yescrypt cheaper than libxcrypt's default of today (count 5) */
	{ "$y$j75$",  "yescrypt",      true },
	{ "$y$j85$",  "yescrypt",      true },
	{ "$y$j7T$",  "yescrypt",      true },
	{ "$y$j8T$",  "yescrypt",      true },
	{ "$y$",      "yescrypt",      false },
	{ "$gy$",     "gost-yescrypt", false },
	{ "$7$",      "scrypt",        false },
	{ "$2",       "bcrypt",        true },
	{ "$6$",      "sha512crypt",   true },
	{ "$5$",      "sha256crypt",   true },
	{ "$sha1",    "sha1crypt",     true },
	{ "$md5",     "sunmd5",        true },
	{ "$1$",      "md5crypt",      true },
	{ "$3$",      "nt",            true },
	{ "_",        "bsdicrypt",     true },
	{ "!",        "locked",        false },
	{ "*",        "locked",        false },
	/* clang-format on */
};

/* The traditional DES form has no prefix but only these letters. */
static const char des_letters[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct kind *
find(const char *hash)
{
	static const struct kind none = { "", "none", false };
	static const struct kind unknown = { "", "unknown", false };
	static const struct kind des = { "", "descrypt", true };

	if (hash[0] == '\0')
		return &none;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) ==
		    0)
			return &kinds[i];
	return strlen(hash) >= 13 && hash[strspn(hash, des_letters)] == '\0'
	    ? &des
	    : &unknown;
}

bool
password_usable(const char *secret)
{
	size_t n = strlen(secret);

	return n > 0 && n <= PASSWORD_MAX;
}

/* crypt(3) into hash; false when libxcrypt refuses the setting. */
static bool
run(const char *secret, const char *setting, char hash[PASSWORD_HASH])
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *text;
	bool ok;

	if (data == NULL)
		abort();
	text = crypt_rn(secret, setting, data, sizeof(*data));
	ok = text != NULL && text[0] != '*' && strlen(text) < PASSWORD_HASH;
	if (ok)
		strcpy(hash, text);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return ok;
}

bool
password_make(const char *secret, char hash[PASSWORD_HASH])
{
	char composed[SPELLING_MAX], *setting;
	bool ok;

	if (!password_usable(secret))
		return false;
	setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
	if (setting == NULL)
		return false;
	spelling_compose(secret, composed);
	ok = run(composed, setting, hash);
	explicit_bzero(composed, sizeof(composed));
	free(setting);
	return ok;
}

static bool
crypt_right(const char *secret, const char *hash)
{
	char made[PASSWORD_HASH];
	size_t n = strlen(hash);
	bool same;

	if (n == 0 || n >= sizeof(made) || !run(secret, hash, made))
		return false;
	same = strlen(made) == n && CRYPTO_memcmp(made, hash, n) == 0;
	explicit_bzero(made, sizeof(made));
	return same;
}

bool
password_right(const char *secret, const char *hash)
{
	bool (*check)(const char *, const char *) =
	    scheme_kind(hash) != NULL ? scheme_right : crypt_right;
	char spelling[SPELLING_MAX];
	bool right = false;

	if (!password_usable(secret))
		return false;
	for (int n = 0; !right && spelling_of(secret, n, spelling); n++)
		right = check(spelling, hash);
	explicit_bzero(spelling, sizeof(spelling));
	return right;
}

const char *
password_kind(const char *hash)
{
	const char *scheme = scheme_kind(hash);

	return scheme != NULL ? scheme : find(hash)->name;
}

bool
password_weak(const char *hash)
{
	return scheme_kind(hash) != NULL || find(hash)->weak;
}
