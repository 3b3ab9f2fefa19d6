/*
 * hash.c - see hash.h.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "ctl/hash.h"
#include "lib/crypt_kind.h"
#include "lib/hex.h"
#include "mail/ascii.h"
#include "mail/base64.h"

#define RAW_MOST    384
#define PLAIN_MOST  255
#define SALT_BYTES  8
#define SHA512_SIZE 64

enum form {
	BARE,   /* as crypt(3) and argon2 write it */
	RAW,    /* bytes: a digest, perhaps with a salt behind */
	KEEP,   /* text under its scheme's name */
	NTLM,   /* the digest, in crypt(3)'s dress */
	MD5ISH, /* md5crypt, or a bare digest */
	PLAIN,
};

static const struct scheme {
	const char *name;
	enum form form;
	const char *ours;
	size_t digest; /* bytes; RAW only */
	bool salted;
} schemes[] = {
	/* clang-format off */
	{ "CRYPT",         BARE,   "",                0,  false },
	{ "DES-CRYPT",     BARE,   "",                0,  false },
	{ "MD5-CRYPT",     BARE,   "",                0,  false },
	{ "SHA256-CRYPT",  BARE,   "",                0,  false },
	{ "SHA512-CRYPT",  BARE,   "",                0,  false },
	{ "BLF-CRYPT",     BARE,   "",                0,  false },
	{ "ARGON2I",       BARE,   "",                0,  false },
	{ "ARGON2ID",      BARE,   "",                0,  false },
	{ "MD5",           MD5ISH, "{MD5}",           16, false },
	{ "PLAIN-MD5",     RAW,    "{MD5}",           16, false },
	{ "LDAP-MD5",      RAW,    "{MD5}",           16, false },
	{ "SMD5",          RAW,    "{SMD5}",          16, true },
	{ "SHA",           RAW,    "{SHA}",           20, false },
	{ "SHA1",          RAW,    "{SHA}",           20, false },
	{ "SSHA",          RAW,    "{SSHA}",          20, true },
	{ "SHA256",        RAW,    "{SHA256}",        32, false },
	{ "SSHA256",       RAW,    "{SSHA256}",       32, true },
	{ "SHA512",        RAW,    "{SHA512}",        64, false },
	{ "SSHA512",       RAW,    "{SSHA512}",       64, true },
	{ "PBKDF2",        KEEP,   "{PBKDF2}",        0,  true },
	{ "SCRAM-SHA-1",   KEEP,   "{SCRAM-SHA-1}",   0,  true },
	{ "SCRAM-SHA-256", KEEP,   "{SCRAM-SHA-256}", 0,  true },
	{ "NTLM",          NTLM,   "$3$$",            16, false },
	{ "PLAIN",         PLAIN,  "",                0,  false },
	{ "CLEAR",         PLAIN,  "",                0,  false },
	{ "CLEARTEXT",     PLAIN,  "",                0,  false },
	/* clang-format on */
};

static const struct scheme *
find(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (ascii_is(name, n, schemes[i].name))
			return &schemes[i];
	return NULL;
}

static bool
copy(char out[HASH_SIZE], const char *prefix, const char *text)
{
	return snprintf(out, HASH_SIZE, "%s%s", prefix, text) < HASH_SIZE;
}

static bool
from_hex(const char *text, size_t n, unsigned char *raw, size_t *len)
{
	if (n % 2 != 0 || n / 2 > RAW_MOST)
		return false;
	*len = n / 2;
	return hex_read(text, raw, *len);
}

/* Some leave the padding off. */
static bool
from_base64(const char *text, size_t n, unsigned char *raw, size_t *len)
{
	char padded[BASE64_SIZE(RAW_MOST)];

	if (n + 4 > sizeof(padded))
		return false;
	memcpy(padded, text, n);
	while (n % 4 != 0)
		padded[n++] = '=';
	return base64_decode(padded, n, raw, RAW_MOST, len);
}

enum encoding { BY_DEFAULT, HEX, BASE64 };

/* A digest is hexadecimal when it is as long as that, or says so. */
static bool
decode(const struct scheme *s, enum encoding e, const char *text,
    unsigned char *raw, size_t *len)
{
	size_t n = strlen(text);

	if (e == BY_DEFAULT)
		e = !s->salted && n == 2 * s->digest ? HEX : BASE64;
	return e == HEX ? from_hex(text, n, raw, len)
			: from_base64(text, n, raw, len);
}

static bool
read_raw(const struct scheme *s, enum encoding e, const char *text,
    char out[HASH_SIZE])
{
	unsigned char raw[RAW_MOST];
	char base64[BASE64_SIZE(RAW_MOST)];
	size_t n;

	if (!decode(s, e, text, raw, &n) || n < s->digest ||
	    (n > s->digest) != s->salted)
		return false;
	base64_encode(raw, n, base64);
	return copy(out, s->ours, base64);
}

static bool
read_ntlm(const struct scheme *s, enum encoding e, const char *text,
    char out[HASH_SIZE])
{
	unsigned char raw[RAW_MOST];
	size_t n;

	if (!decode(s, e, text, raw, &n) || n != s->digest)
		return false;
	strcpy(out, s->ours);
	hex_write(raw, n, out + strlen(out));
	return true;
}

bool
hash_plain(const char *password, char out[HASH_SIZE])
{
	unsigned char raw[SHA512_SIZE + SALT_BYTES],
	    text[PLAIN_MOST + SALT_BYTES];
	char base64[BASE64_SIZE(sizeof(raw))];
	size_t n = strlen(password);
	bool ok;

	if (n == 0 || n > PLAIN_MOST ||
	    RAND_bytes(raw + SHA512_SIZE, SALT_BYTES) != 1)
		return false;
	memcpy(text, password, n);
	memcpy(text + n, raw + SHA512_SIZE, SALT_BYTES);
	ok = EVP_Digest(text, n + SALT_BYTES, raw, NULL, EVP_sha512(), NULL) ==
	    1;
	explicit_bzero(text, sizeof(text));
	base64_encode(raw, sizeof(raw), base64);
	return ok && copy(out, "{SSHA512}", base64);
}

/* Text that is not a digest, perhaps encoded all the same. */
static bool
decode_text(enum encoding e, const char *text, char out[RAW_MOST + 1])
{
	size_t n = strlen(text);

	if (e == BY_DEFAULT) {
		if (n > RAW_MOST)
			return false;
		memcpy(out, text, n + 1);
		return true;
	}
	if (!(e == HEX ? from_hex(text, n, (unsigned char *)out, &n)
		       : from_base64(text, n, (unsigned char *)out, &n)))
		return false;
	out[n] = '\0';
	return strlen(out) == n;
}

static bool
read_text(const struct scheme *s, enum encoding e, const char *text,
    char out[HASH_SIZE])
{
	char clear[RAW_MOST + 1];
	bool ok = decode_text(e, text, clear) && clear[0] != '\0';

	if (ok && s->form == PLAIN)
		ok = hash_plain(clear, out);
	else if (ok)
		ok = copy(out, s->ours, clear);
	explicit_bzero(clear, sizeof(clear));
	return ok;
}

static bool
read_scheme(const char *text, char out[HASH_SIZE])
{
	const char *close = strchr(text, '}'), *dot;
	enum encoding e = BY_DEFAULT;
	const struct scheme *s;
	size_t n;

	if (close == NULL)
		return false;
	n = (size_t)(close - text - 1);
	dot = memchr(text, '.', n);
	if (dot != NULL) {
		size_t rest = (size_t)(close - dot - 1);

		e = ascii_is(dot + 1, rest, "HEX") ? HEX
		    : ascii_is(dot + 1, rest, "B64") ||
			ascii_is(dot + 1, rest, "BASE64")
		    ? BASE64
		    : BY_DEFAULT;
		if (e == BY_DEFAULT)
			return false;
		n = (size_t)(dot - text - 1);
	}
	text++;
	if ((s = find(text, n)) == NULL)
		return false;
	text = close + 1;
	if (s->form == NTLM)
		return read_ntlm(s, e, text, out);
	if (s->form == MD5ISH && text[0] == '$')
		return copy(out, "", text);
	if (s->form == RAW || s->form == MD5ISH)
		return read_raw(s, e, text, out);
	return read_text(s, e, text, out);
}

/* What locks an entry and is no hash itself. */
static const char *
skip_lock(const char *text)
{
	if (strncmp(text, "*LK*", 4) == 0)
		return text + 4;
	if (strncmp(text, "*LOCKED*", 8) == 0)
		return text + 8;
	return text + strspn(text, "!*");
}

void
hash_lock(char hash[HASH_SIZE])
{
	char open[HASH_SIZE];

	if (hash[0] == '!' || hash[0] == '\0')
		return;
	memcpy(open, hash, sizeof(open));
	snprintf(hash, HASH_SIZE, "!%.*s", HASH_SIZE - 2, open);
	explicit_bzero(open, sizeof(open));
}

/* crypt(3) does not know these. */
static bool
is_foreign(const char *hash)
{
	static const char *const prefixes[] = { "$apr1$", "$argon2i$",
		"$argon2id$" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(hash, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* A string as crypt(3) and argon2 write it. */
static enum hash_result
check_bare(const char *hash)
{
	if (!is_foreign(hash) && strcmp(crypt_kind(hash)->name, "unknown") == 0)
		return hash[0] == '$' ? HASH_HOPELESS : HASH_NONE;
	return crypt_whole(hash) ? HASH_READ : HASH_CUT;
}

static enum hash_result
read_hash(const char *text, char out[HASH_SIZE])
{
	if (text[0] == '{' ? !read_scheme(text, out) : !copy(out, "", text))
		return HASH_HOPELESS;
	return out[0] == '{' ? HASH_READ : check_bare(out);
}

enum hash_result
hash_read(const char *text, char out[HASH_SIZE],
    char scram[sizeof(((struct msg_item *)0)->scram)])
{
	static const char verifier[] = "{SCRAM-SHA-256}";
	const char *open = skip_lock(text);
	enum hash_result result;

	out[0] = scram[0] = '\0';
	/* Solaris writes this where there is no password. */
	if (open[0] == '\0' || strcmp(open, "x") == 0 ||
	    strcmp(open, "NP") == 0)
		return HASH_READ;
	result = read_hash(open, out);
	/* "*NP*", "!disabled": behind the lock nothing was ever a hash. */
	if (open != text && (result == HASH_NONE || result == HASH_CUT)) {
		out[0] = '\0';
		return HASH_READ;
	}
	if (result != HASH_READ)
		return result;
	if (strncmp(out, verifier, sizeof(verifier) - 1) == 0 &&
	    snprintf(scram, sizeof(((struct msg_item *)0)->scram), "%s",
		out + sizeof(verifier) - 1) >=
		(int)sizeof(((struct msg_item *)0)->scram))
		return HASH_HOPELESS;
	if (open != text)
		hash_lock(out);
	return HASH_READ;
}

/* Of a scheme that a password in the clear does not come in. */
static bool
is_digest(const char *text)
{
	const struct scheme *s = find(text + 1, strcspn(text + 1, ".}"));

	return s != NULL && s->form != PLAIN;
}

bool
hash_is_one(const char *text)
{
	char out[HASH_SIZE];
	bool one;

	if (text[0] != '{')
		return text[0] == '$' && check_bare(text) == HASH_READ;
	one = is_digest(text) && read_hash(text, out) == HASH_READ;
	explicit_bzero(out, sizeof(out));
	return one;
}
