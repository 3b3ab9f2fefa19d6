/*
 * scram.c - see scram.h.
 */
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/scram.h"
#include "mail/base64.h"
#include "mail/sasl.h"

#define GS2  "n,," /* no channel binding */
#define SALT 256

/* RFC 5802 5.1: "=" and "," have another meaning. */
static size_t
escape(const char *user, char *out, size_t size)
{
	size_t n = 0;

	for (; *user != '\0' && n + 4 < size; user++) {
		if (*user == '=' || *user == ',') {
			memcpy(out + n, *user == '=' ? "=3D" : "=2C", 3);
			n += 3;
		} else {
			out[n++] = *user;
		}
	}
	out[n] = '\0';
	return n;
}

void
scram_first(
    struct scram *s, const char *user, const char *nonce, char out[SCRAM_TEXT])
{
	char name[3 * 256 - 64], message[sizeof(s->bare) - 1];
	int n;

	assert(strlen(nonce) >= 16 && strlen(nonce) <= SCRAM_NONCE);
	memset(s, 0, sizeof(*s));
	strcpy(s->nonce, nonce);
	escape(user, name, sizeof(name));
	snprintf(s->bare, sizeof(s->bare), "n=%s,r=%s", name, nonce);
	n = snprintf(message, sizeof(message), GS2 "%.*s",
	    (int)sizeof(message) - 4, s->bare);
	base64_encode(message, (size_t)n, out);
}

static bool
decode(const char *text, char out[SCRAM_TEXT])
{
	size_t n;

	if (strlen(text) >= SCRAM_TEXT ||
	    !base64_decode(text, strlen(text), out, SCRAM_TEXT - 1, &n) ||
	    memchr(out, '\0', n) != NULL)
		return false;
	out[n] = '\0';
	return true;
}

struct challenge {
	char nonce[SCRAM_TEXT];
	unsigned char salt[SALT];
	size_t salt_len;
	unsigned long rounds;
};

static const char *
read_challenge(const struct scram *s, const char *p, struct challenge *c)
{
	const char *nonce, *salt, *rounds;
	size_t n, len;
	char *end;

	/* An extension that one must know would stand in front ("m="). */
	if ((nonce = sasl_attribute(&p, 'r', &n)) == NULL)
		return "the server's SCRAM challenge cannot be read";
	memcpy(c->nonce, nonce, n);
	c->nonce[n] = '\0';
	/* Ours in front: this is no answer to somebody else. */
	if (n <= strlen(s->nonce) ||
	    memcmp(c->nonce, s->nonce, strlen(s->nonce)) != 0)
		return "the server's SCRAM challenge is not for us";
	if ((salt = sasl_attribute(&p, 's', &len)) == NULL ||
	    !base64_decode(salt, len, c->salt, SALT, &c->salt_len) ||
	    c->salt_len == 0 ||
	    (rounds = sasl_attribute(&p, 'i', &n)) == NULL || *rounds < '1' ||
	    *rounds > '9')
		return "the server's SCRAM challenge cannot be read";
	c->rounds = strtoul(rounds, &end, 10);
	if (end != rounds + n)
		return "the server's SCRAM challenge cannot be read";
	if (c->rounds < SCRAM_LEAST || c->rounds > SCRAM_MOST)
		return "the server's SCRAM wants less than 4096 rounds, or "
		       "more than 100000";
	return NULL;
}

static void
sign(const unsigned char key[SCRAM_BYTES], const char *text,
    unsigned char out[SCRAM_BYTES])
{
	unsigned n;

	if (HMAC(EVP_sha256(), key, SCRAM_BYTES, (const unsigned char *)text,
		strlen(text), out, &n) == NULL)
		abort();
}

/* RFC 5802 3: what is said proves the ClientKey without telling it. */
static void
prove(const unsigned char salted[SCRAM_BYTES], const char *all,
    unsigned char proof[SCRAM_BYTES])
{
	unsigned char key[SCRAM_BYTES], stored[SCRAM_BYTES];

	sign(salted, "Client Key", key);
	if (EVP_Digest(key, SCRAM_BYTES, stored, NULL, EVP_sha256(), NULL) != 1)
		abort();
	sign(stored, all, proof);
	for (size_t i = 0; i < SCRAM_BYTES; i++)
		proof[i] ^= key[i];
	explicit_bzero(key, sizeof(key));
	explicit_bzero(stored, sizeof(stored));
}

const char *
scram_proof(struct scram *s, const char *challenge, const char *password,
    char out[SCRAM_TEXT])
{
	unsigned char salted[SCRAM_BYTES], proof[SCRAM_BYTES];
	char text[SCRAM_TEXT], all[3 * SCRAM_TEXT], base64[BASE64_SIZE(32)];
	char final[SCRAM_TEXT];
	struct challenge c;
	const char *why;
	int n;

	if (!decode(challenge, text))
		return "the server's SCRAM challenge cannot be read";
	if ((why = read_challenge(s, text, &c)) != NULL)
		return why;
	if (strlen(c.nonce) > SCRAM_TEXT / 2)
		return "the server's SCRAM challenge is too long";
	n = snprintf(final, sizeof(final), "c=biws,r=%s", c.nonce);
	snprintf(all, sizeof(all), "%s,%s,%s", s->bare, text, final);
	if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), c.salt,
		(int)c.salt_len, (int)c.rounds, EVP_sha256(), SCRAM_BYTES,
		salted) != 1)
		abort();
	prove(salted, all, proof);
	sign(salted, "Server Key", s->server);
	sign(s->server, all, s->server);
	explicit_bzero(salted, sizeof(salted));
	base64_encode(proof, sizeof(proof), base64);
	n += snprintf(final + n, sizeof(final) - (size_t)n, ",p=%s", base64);
	base64_encode(final, (size_t)n, out);
	return NULL;
}

bool
scram_proven(struct scram *s, const char *last)
{
	unsigned char signature[SCRAM_BYTES];
	char text[SCRAM_TEXT];
	const char *p = text, *value;
	size_t n, len;
	bool right;

	right = decode(last, text) &&
	    (value = sasl_attribute(&p, 'v', &n)) != NULL &&
	    base64_decode(value, n, signature, sizeof(signature), &len) &&
	    len == sizeof(signature) &&
	    CRYPTO_memcmp(signature, s->server, sizeof(signature)) == 0;
	explicit_bzero(s, sizeof(*s));
	return right;
}
