/*
 * scram.c - see scram.h.
 */
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "auth/scram.h"
#include "mail/base64.h"
#include "mail/sasl.h"
#include "mail/utf8.h"

/* A saslname (RFC 5802 5.1): "=2C" is a comma and "=3D" an equals sign. */
static bool
read_name(const char *from, size_t n, char out[256])
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = from[i];

		if (c == '=') {
			if (n - i < 3 ||
			    (strncmp(from + i, "=2C", 3) != 0 &&
				strncmp(from + i, "=3D", 3) != 0))
				return false;
			c = from[i + 2] == 'C' ? ',' : '=';
			i += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f || len == 255)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return len > 0 && utf8_valid(out, len);
}

static bool
printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x21 || s[i] > 0x7e)
			return false;
	return n > 0;
}

/* gs2-header: the channel binding, and whom to act as. */
static enum scram_result
read_gs2(
    struct scram *s, const char **p, bool plus, bool offered, char authzid[256])
{
	const char *start = *p, *value;
	size_t n;

	if ((value = sasl_attribute(p, 'p', &n)) != NULL) {
		if (!plus || n == 0 || n >= sizeof(s->binding))
			return SCRAM_MALFORMED;
		memcpy(s->binding, value, n);
	} else if (strncmp(*p, "n,", 2) == 0 || strncmp(*p, "y,", 2) == 0) {
		if (plus)
			return SCRAM_MALFORMED;
		if (**p == 'y' && offered)
			return SCRAM_DOWNGRADE;
		*p += 2;
	} else {
		return SCRAM_MALFORMED;
	}
	authzid[0] = '\0';
	if ((value = sasl_attribute(p, 'a', &n)) != NULL) {
		if (!read_name(value, n, authzid) || (*p)[-1] != ',')
			return SCRAM_MALFORMED;
	} else if (*(*p)++ != ',') {
		return SCRAM_MALFORMED;
	}
	snprintf(s->gs2, sizeof(s->gs2), "%.*s", (int)(*p - start), start);
	return SCRAM_OK;
}

enum scram_result
scram_first(
    struct scram *s, const char *message, size_t n, bool plus, bool offered)
{
	char text[SCRAM_MESSAGE], authzid[256];
	const char *p = text, *value;
	enum scram_result r;

	memset(s, 0, sizeof(*s));
	if (n >= sizeof(text) / 2 || memchr(message, '\0', n) != NULL)
		return SCRAM_MALFORMED;
	memcpy(text, message, n);
	text[n] = '\0';
	if ((r = read_gs2(s, &p, plus, offered, authzid)) != SCRAM_OK)
		return r;
	strcpy(s->bare, p);
	/* A mandatory extension would stand here ("m="): we know none. */
	if ((value = sasl_attribute(&p, 'n', &n)) == NULL ||
	    !read_name(value, n, s->user) ||
	    (value = sasl_attribute(&p, 'r', &n)) == NULL ||
	    !printable(value, n))
		return SCRAM_MALFORMED;
	snprintf(s->nonce, sizeof(s->nonce), "%.*s", (int)n, value);
	return authzid[0] == '\0' || strcmp(authzid, s->user) == 0
	    ? SCRAM_OK
	    : SCRAM_AUTHZID;
}

void
scram_challenge(struct scram *s, const struct scram_verifier *v,
    const char *nonce, char out[SCRAM_MESSAGE])
{
	char salt[BASE64_SIZE(SCRAM_SALT)];
	size_t n = strlen(s->nonce);

	assert(strlen(nonce) == SCRAM_NONCE && v->key_len == SCRAM_KEY &&
	    n + SCRAM_NONCE < sizeof(s->nonce));
	s->verifier = *v;
	memcpy(s->nonce + n, nonce, SCRAM_NONCE + 1);
	base64_encode(v->salt, v->salt_len, salt);
	snprintf(out, SCRAM_MESSAGE, "r=%s,s=%s,i=%u", s->nonce, salt,
	    v->iterations);
	strcpy(s->server, out);
}

/* "c=": the header again, and what the channel is known by. */
static bool
is_bound(const struct scram *s, const char *value, size_t n,
    const unsigned char *binding, size_t nbytes)
{
	unsigned char raw[SCRAM_MESSAGE];
	size_t len, gs2 = strlen(s->gs2);

	if (!base64_decode(value, n, raw, sizeof(raw), &len) || len < gs2 ||
	    memcmp(raw, s->gs2, gs2) != 0)
		return false;
	if (s->binding[0] == '\0')
		return len == gs2;
	return nbytes > 0 && len - gs2 == nbytes &&
	    CRYPTO_memcmp(raw + gs2, binding, nbytes) == 0;
}

static void
hmac(const unsigned char key[SCRAM_KEY], const char *a,
    unsigned char out[SCRAM_KEY])
{
	unsigned n;

	if (HMAC(EVP_sha256(), key, SCRAM_KEY, (const unsigned char *)a,
		strlen(a), out, &n) == NULL)
		memset(out, 0, SCRAM_KEY);
}

/* RFC 5802 3: ClientKey is the proof XOR what its owner signs with it. */
static bool
check_proof(const struct scram *s, const char *message,
    const unsigned char proof[SCRAM_KEY])
{
	unsigned char client[SCRAM_KEY], key[SCRAM_KEY];
	bool right;

	hmac(s->verifier.stored, message, client);
	for (size_t i = 0; i < SCRAM_KEY; i++)
		client[i] ^= proof[i];
	right =
	    EVP_Digest(client, SCRAM_KEY, key, NULL, EVP_sha256(), NULL) == 1 &&
	    CRYPTO_memcmp(key, s->verifier.stored, SCRAM_KEY) == 0;
	explicit_bzero(client, sizeof(client));
	return right;
}

enum scram_result
scram_final(struct scram *s, const char *message, size_t n,
    const unsigned char *binding, size_t nbytes, char out[SCRAM_MESSAGE])
{
	unsigned char proof[SCRAM_KEY], signature[SCRAM_KEY];
	char text[SCRAM_MESSAGE], all[3 * SCRAM_MESSAGE];
	char base64[BASE64_SIZE(SCRAM_KEY)];
	const char *p = text, *c, *r, *last;
	size_t nc, nr, len;

	if (n >= sizeof(text) || memchr(message, '\0', n) != NULL)
		return SCRAM_MALFORMED;
	memcpy(text, message, n);
	text[n] = '\0';
	last = strrchr(text, ',');
	if (last == NULL || strncmp(last, ",p=", 3) != 0 ||
	    !base64_decode(
		last + 3, strlen(last + 3), proof, sizeof(proof), &len) ||
	    len != sizeof(proof) ||
	    (c = sasl_attribute(&p, 'c', &nc)) == NULL ||
	    (r = sasl_attribute(&p, 'r', &nr)) == NULL ||
	    nr != strlen(s->nonce) || memcmp(r, s->nonce, nr) != 0)
		return SCRAM_MALFORMED;
	if (!is_bound(s, c, nc, binding, nbytes))
		return SCRAM_UNBOUND;
	snprintf(all, sizeof(all), "%s,%s,%.*s", s->bare, s->server,
	    (int)(last - text), text);
	if (!check_proof(s, all, proof))
		return SCRAM_WRONG;
	hmac(s->verifier.server, all, signature);
	base64_encode(signature, sizeof(signature), base64);
	snprintf(out, SCRAM_MESSAGE, "v=%s", base64);
	return SCRAM_OK;
}
