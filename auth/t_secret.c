/*
 * t_secret.c - see t_secret.h.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "auth/t_secret.h"
#include "lib/hex.h"
#include "lib/log.h"

struct secret {
	char hex[HEX_SIZE(SECRET_BYTES)];
};

static const struct field fields[] = {
	F_STR(secret, hex),
	F_END,
};

static const struct bytes key = { (const uint8_t *)"secret", 6 };

static bool
put(struct txn *txn, void *arg)
{
	store_put(txn, TABLE_META, key, fields, arg);
	return true;
}

static void
make(struct secret *s)
{
	unsigned char raw[SECRET_BYTES];

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		fatal("cannot make a random secret");
	hex_write(raw, sizeof(raw), s->hex);
	/* On a full disk it is another one after the next start. */
	store_txn(STORE_SYNC, put, s);
}

static void
get(unsigned char out[SECRET_BYTES])
{
	static struct secret s;

	if (s.hex[0] == '\0' &&
	    !store_get(NULL, TABLE_META, key, fields, &s, sizeof(s)))
		make(&s);
	if (!hex_read(s.hex, out, SECRET_BYTES))
		fatal("store: the secret of the accounts is damaged");
}

void
secret_derive(const void *octets, size_t n, unsigned char out[SECRET_BYTES])
{
	unsigned char secret[SECRET_BYTES];
	unsigned len;

	get(secret);
	if (HMAC(EVP_sha256(), secret, sizeof(secret), octets, n, out, &len) ==
	    NULL)
		fatal("HMAC failed");
	explicit_bzero(secret, sizeof(secret));
}
