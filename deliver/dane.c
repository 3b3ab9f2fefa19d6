/*
 * dane.c - see dane.h.
 */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/dane.h"

/* RFC 7218. */
enum { DANE_TA = 2, DANE_EE = 3 };
enum { CERT = 0, SPKI = 1 };
enum { FULL = 0, SHA2_256 = 1, SHA2_512 = 2 };

bool
dane_read(struct tlsa *t, const uint8_t *data, size_t len)
{
	if (len < 4)
		return false;
	*t = (struct tlsa){ data[0], data[1], data[2], data + 3, len - 3 };
	return true;
}

/* The data is the certificate or the key itself. */
static bool
is_whole(const struct tlsa *t)
{
	const uint8_t *p = t->data;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	bool ok;

	if (t->selector == CERT)
		cert = d2i_X509(NULL, &p, (long)t->len);
	else
		key = d2i_PUBKEY(NULL, &p, (long)t->len);
	ok = (cert != NULL || key != NULL) && p == t->data + t->len;
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

bool
dane_usable(const struct tlsa *t)
{
	/* RFC 7672 3.1.3: PKIX-TA(0) and PKIX-EE(1) say nothing in SMTP. */
	if (t->usage != DANE_TA && t->usage != DANE_EE)
		return false;
	if (t->selector != CERT && t->selector != SPKI)
		return false;
	switch (t->matching) {
	case FULL:
		return is_whole(t);
	case SHA2_256:
		return t->len == 32;
	case SHA2_512:
		return t->len == 64;
	default:
		return false;
	}
}

enum dane_state
dane_take(const struct answer *a, const char *base, struct dane **out)
{
	struct tlsa t;
	struct dane *d;
	uint8_t *copy;
	size_t total = 0;

	*out = NULL;
	for (unsigned i = 0; i < a->n; i++)
		total += a->records[i].len;
	d = calloc(1, sizeof(*d) + total);
	if (d == NULL)
		abort();
	copy = (uint8_t *)(d + 1);
	snprintf(d->base, sizeof(d->base), "%s", base);
	for (unsigned i = 0; i < a->n; i++) {
		if (!dane_read(&t, a->records[i].data, a->records[i].len) ||
		    !dane_usable(&t))
			continue;
		memcpy(copy, t.data, t.len);
		t.data = copy;
		copy += t.len;
		d->records[d->n++] = t;
	}
	if (d->n == 0) {
		free(d);
		return DANE_UNUSABLE;
	}
	*out = d;
	return DANE_USABLE;
}
