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
#include "lib/crypt_kind.h"

static_assert(PASSWORD_HASH >= CRYPT_OUTPUT_SIZE, "any crypt string fits");

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

	return scheme != NULL ? scheme : crypt_kind(hash)->name;
}

bool
password_weak(const char *hash)
{
	return scheme_kind(hash) != NULL || crypt_kind(hash)->weak;
}
