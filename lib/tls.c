/*
 * tls.c - see tls.h.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/hex.h"
#include "lib/log.h"
#include "lib/tls.h"

#define CIPHERS_12 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define CIPHERS_13 \
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:" \
	"TLS_AES_256_GCM_SHA384"
#define GROUPS "X25519:P-256:P-384"

/* What the library has left of the old ones: no RSA key exchange (tls.h). */
#define CIPHERS_OLD \
	CIPHERS_12 ":kECDHE+AES:kDHE+AES:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0"

#define TICKET_KEYS 3

static unsigned char ticket_keys[TICKET_KEYS][TLS_TICKET_KEY];
static size_t nticket_keys;

const char *
tls_error(char *out, size_t size)
{
	unsigned long e = ERR_get_error();
	const char *reason = ERR_reason_error_string(e);

	if (e == 0)
		snprintf(out, size, "TLS failed");
	else if (reason != NULL)
		snprintf(out, size, "TLS: %s", reason);
	else
		snprintf(out, size, "TLS error %lx", e);
	ERR_clear_error();
	return out;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* A name of a certificate in lower case; false for one that is none. */
static bool
copy_name(char out[256], const ASN1_STRING *s)
{
	const unsigned char *p = ASN1_STRING_get0_data(s);
	int n = ASN1_STRING_length(s);

	if (n <= 0 || n > 255)
		return false;
	for (int i = 0; i < n; i++) {
		if (p[i] <= ' ' || p[i] >= 0x7f)
			return false;
		out[i] = (char)lower(p[i]);
	}
	out[n] = '\0';
	return true;
}

static SSL_CTX *
make(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;

	if (ctx == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, GROUPS) != 1)
		fatal("TLS: cannot make a context");
	SSL_CTX_set_options(ctx, options);
	/* A mail stays whole without close_notify: the dialog says its end. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Header and body of a record, and the next one, in one read. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

/*
 * ALPN (RFC 7301): who offers protocols must offer smtp.  A browser that was
 * led here speaks h2 or http/1.1, and is refused before it can say a word that
 * might pass for mail (ALPACA).
 */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned int n, void *arg)
{
	static const unsigned char ours[] = "\4smtp";
	unsigned char *chosen;

	(void)ssl, (void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in,
		n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
make_server(const char *ciphers)
{
	SSL_CTX *ctx = make(TLS_server_method());

	if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) != 1)
		fatal("TLS: no ciphers");
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* One ticket a session: it costs a record and a wake-up each. */
	SSL_CTX_set_num_tickets(ctx, 1);
	return ctx;
}

static void
name_sessions(SSL_CTX *ctx, const char *name)
{
	SSL_CTX_set_session_id_context(
	    ctx, (const unsigned char *)name, (unsigned)strlen(name));
}

SSL_CTX *
tls_server_new(void)
{
	SSL_CTX *ctx = make_server(CIPHERS_12);

	name_sessions(ctx, "postern");
	return ctx;
}

SSL_CTX *
tls_legacy_new(void)
{
	SSL_CTX *ctx = make_server(CIPHERS_OLD);

	if (SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) != 1)
		fatal("TLS: cannot make a context");
	SSL_CTX_set_dh_auto(ctx, 1);
	/* What was agreed on here is no good elsewhere. */
	name_sessions(ctx, "postern-legacy");
	return ctx;
}

struct names {
	tls_find_fn *find;
	void *arg;
};

static int
on_name(SSL *ssl, int *alert, void *arg)
{
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct names *n = arg;
	char name[256];
	SSL_CTX *ctx;
	size_t i;

	(void)alert;
	if (asked == NULL || strlen(asked) >= sizeof(name))
		return SSL_TLSEXT_ERR_NOACK;
	for (i = 0; asked[i] != '\0'; i++)
		name[i] = (char)lower(asked[i]);
	name[i] = '\0';
	ctx = n->find(n->arg, name);
	if (ctx == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (ctx != SSL_get_SSL_CTX(ssl))
		SSL_set_SSL_CTX(ssl, ctx);
	return SSL_TLSEXT_ERR_OK;
}

static void
free_names(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
    void *argp)
{
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	free(ptr);
}

void
tls_use_names(SSL_CTX *ctx, tls_find_fn *find, void *arg)
{
	static int index = -1;
	struct names *n = malloc(sizeof(*n));

	if (index == -1)
		index =
		    SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
	if (n == NULL || index == -1 || SSL_CTX_set_ex_data(ctx, index, n) != 1)
		fatal("TLS: no memory");
	*n = (struct names){ find, arg };
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, n);
}

static int
on_certificate(SSL *ssl, void *arg)
{
	bool (*const *hold)(void) = arg;

	(void)ssl;
	return (*hold)() ? -1 : 1;
}

void
tls_use_hold(SSL_CTX *ctx, bool (*hold)(void))
{
	static bool (*kept)(void);

	kept = hold;
	SSL_CTX_set_cert_cb(ctx, on_certificate, &kept);
}

static void
each_dns_name(const GENERAL_NAMES *names, bool *any,
    void (*cb)(void *arg, const char *name), void *arg)
{
	char name[256];

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type != GEN_DNS)
			continue;
		*any = true;
		if (copy_name(name, g->d.dNSName))
			cb(arg, name);
	}
}

void
tls_each_name(const X509 *x, void (*cb)(void *arg, const char *name), void *arg)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(x);
	bool any = false;
	char name[256];
	int at;

	each_dns_name(names, &any, cb, arg);
	GENERAL_NAMES_free(names);
	if (any)
		return;
	at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at >= 0 &&
	    copy_name(name,
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))))
		cb(arg, name);
}

bool
tls_name_covers(const char *pattern, const char *host)
{
	const char *dot;

	if (strncmp(pattern, "*.", 2) != 0 || strncmp(host, "*.", 2) == 0)
		return strcasecmp(pattern, host) == 0;
	dot = strchr(host, '.');
	return dot != NULL && dot != host && strcasecmp(pattern + 1, dot) == 0;
}

SSL_CTX *
tls_client_new(void)
{
	return make(TLS_client_method());
}

bool
tls_use_chain(SSL_CTX *ctx, const char *pem, size_t n, EVP_PKEY **pub,
    char *err, size_t err_size)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	X509 *leaf = NULL, *ca;
	bool ok = false;

	ERR_clear_error();
	if (bio == NULL ||
	    (leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) == NULL) {
		snprintf(err, err_size, "no certificate in PEM form");
		goto out;
	}
	if (SSL_CTX_use_certificate(ctx, leaf) != 1) {
		tls_error(err, err_size);
		goto out;
	}
	SSL_CTX_clear_chain_certs(ctx);
	while ((ca = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, ca) != 1) {
			X509_free(ca);
			tls_error(err, err_size);
			goto out;
		}
	ERR_clear_error(); /* of the end of the file */
	if (pub != NULL && (*pub = X509_get_pubkey(leaf)) == NULL) {
		tls_error(err, err_size);
		goto out;
	}
	ok = true;
out:
	X509_free(leaf);
	BIO_free(bio);
	return ok;
}

bool
tls_trust(SSL_CTX *ctx, const char *pem, size_t n, char *err, size_t err_size)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	size_t count = 0;
	X509 *ca;

	ERR_clear_error();
	while (bio != NULL &&
	    (ca = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
		count += X509_STORE_add_cert(store, ca) == 1;
		X509_free(ca);
	}
	ERR_clear_error();
	BIO_free(bio);
	if (count == 0)
		snprintf(err, err_size, "no certificate in PEM form");
	return count > 0;
}

void
tls_ticket_keys(const unsigned char *keys, size_t n)
{
	if (n > TICKET_KEYS)
		n = TICKET_KEYS;
	memcpy(ticket_keys, keys, n * TLS_TICKET_KEY);
	nticket_keys = n;
}

static int
use_ticket_key(const unsigned char *key, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	unsigned char secret[32];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
		    OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};
	int ok;

	memcpy(secret, key + 16, sizeof(secret));
	ok = EVP_MAC_CTX_set_params(mac, params) == 1 &&
	    EVP_CipherInit_ex(
		cipher, EVP_aes_256_cbc(), NULL, key + 48, iv, encrypt) == 1;
	OPENSSL_cleanse(secret, sizeof(secret));
	return ok ? 1 : -1;
}

/* RFC 5077 by the library; here only: which key.  2 asks for a fresh ticket. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	if (nticket_keys == 0)
		return 0;
	if (encrypt) {
		if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
			return -1;
		memcpy(name, ticket_keys[0], 16);
		return use_ticket_key(ticket_keys[0], iv, cipher, mac, 1);
	}
	for (size_t i = 0; i < nticket_keys; i++)
		if (memcmp(name, ticket_keys[i], 16) == 0) {
			if (use_ticket_key(
				ticket_keys[i], iv, cipher, mac, 0) != 1)
				return -1;
			/* A 1.3 ticket is for one use (RFC 8446 C.4). */
			return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1
									   : 2;
		}
	return 0;
}

void
tls_use_tickets(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

bool
tls_key_name(EVP_PKEY *key, char out[SHA256_HEX])
{
	unsigned char digest[32], *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0 ||
	    EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL) != 1) {
		OPENSSL_free(der);
		return false;
	}
	OPENSSL_free(der);
	hex_write(digest, sizeof(digest), out);
	return true;
}
