/*
 * app_password.c - see app_password.h.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "auth/app_password.h"
#include "lib/hex.h"
#include "mail/ascii.h"

#define LETTERS 24
#define GROUP   6

/* Nothing that looks like something else: no i, l, o, 0, 1. */
static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";

static bool
digest(const char letters[LETTERS], char out[APP_PASSWORD_DIGEST])
{
	unsigned char raw[32];

	if (EVP_Digest(letters, LETTERS, raw, NULL, EVP_sha256(), NULL) != 1)
		return false;
	hex_write(raw, sizeof(raw), out);
	return true;
}

bool
app_password_make(char secret[APP_PASSWORD], char out[APP_PASSWORD_DIGEST])
{
	char letters[LETTERS];
	unsigned char byte;
	bool ok;

	for (size_t n = 0; n < LETTERS;) {
		if (RAND_bytes(&byte, 1) != 1)
			return false;
		byte &= 31; /* one of 32 is thrown away */
		if (byte < sizeof(alphabet) - 1)
			letters[n++] = alphabet[byte];
	}
	for (size_t i = 0; i < LETTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			*secret++ = '-';
		*secret++ = letters[i];
	}
	*secret = '\0';
	ok = digest(letters, out);
	explicit_bzero(letters, sizeof(letters));
	return ok;
}

/* Without dashes and blanks, in lower case; false when it is none. */
static bool
read_letters(const char *typed, char letters[LETTERS])
{
	size_t n = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (n == LETTERS ||
		    strchr(alphabet, ascii_lower(*typed)) == NULL)
			return false;
		letters[n++] = ascii_lower(*typed);
	}
	return n == LETTERS;
}

const struct card *
app_password_find(const struct page *page, const char *typed)
{
	char letters[LETTERS], made[APP_PASSWORD_DIGEST];
	const struct card *found = NULL;

	if (page->ncards == 0 || !read_letters(typed, letters) ||
	    !digest(letters, made))
		return NULL;
	for (size_t i = 0; i < page->ncards; i++)
		if (page->cards[i].c.kind == CREDENTIAL_APP &&
		    CRYPTO_memcmp(page->cards[i].c.hash, made, sizeof(made)) ==
			0)
			found = &page->cards[i];
	explicit_bzero(letters, sizeof(letters));
	return found;
}
