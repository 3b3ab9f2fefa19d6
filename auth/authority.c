/*
 * authority.c - see authority.h.
 */
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "auth/authority.h"
#include "auth/t_authority.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/tls.h"

#define TEN_YEARS_S ((uint64_t)3650 * 86400)
#define BACKDATE_S  3600 /* for clients whose clock is late */

/* A name of one part; cut, for X.520 allows a common name 64 letters. */
static bool
set_name(X509_NAME *name, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		   (const unsigned char *)text, (int)strnlen(text, 64), -1,
		   0) == 1;
}

static bool
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
set_serial(X509 *cert)
{
	unsigned char raw[16];
	BIGNUM *number;
	bool ok;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return false;
	raw[0] &= 0x7f;
	number = BN_bin2bn(raw, sizeof(raw), NULL);
	ok = number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return ok;
}

/* All that certificates have in common; NULL when it cannot be made. */
static X509 *
make(const char *name, EVP_PKEY *key, uint64_t until)
{
	time_t now = (time_t)(loop_wall_ms() / 1000);
	time_t begin = now - BACKDATE_S, end = (time_t)until;
	X509 *cert = X509_new();

	if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
	    !set_serial(cert) || X509_set_pubkey(cert, key) != 1 ||
	    ASN1_TIME_set(X509_getm_notBefore(cert), begin) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(cert), end) == NULL ||
	    !set_name(X509_get_subject_name(cert), name)) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static bool
to_pem(EVP_PKEY *key, X509 *cert, struct authority *a)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = false;
	int n;

	if (bio == NULL ||
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		goto out;
	n = BIO_read(bio, a->key, sizeof(a->key) - 1);
	if (n <= 0 || !BIO_eof(bio) || PEM_write_bio_X509(bio, cert) != 1)
		goto out;
	a->key[n] = '\0';
	n = BIO_read(bio, a->certificate, sizeof(a->certificate) - 1);
	if (n <= 0 || !BIO_eof(bio))
		goto out;
	a->certificate[n] = '\0';
	ok = true;
out:
	BIO_free(bio);
	return ok;
}

/* The first time: a key of our own, in the store before it is used. */
static bool
found_authority(struct authority *a)
{
	uint64_t until = (uint64_t)loop_wall_ms() / 1000 + 3 * TEN_YEARS_S;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key == NULL
	    ? NULL
	    : make("postern client certificates", key, until);
	bool ok;

	memset(a, 0, sizeof(*a));
	ok = cert != NULL &&
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
	    add_extension(cert, cert, NID_basic_constraints,
		"critical,CA:TRUE,pathlen:0") &&
	    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign") &&
	    X509_sign(cert, key, EVP_sha256()) > 0 && to_pem(key, cert, a) &&
	    authority_put(a);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

static bool
open_authority(EVP_PKEY **key, X509 **cert)
{
	struct authority a;
	BIO *bio;

	*key = NULL;
	*cert = NULL;
	if (!authority_get(&a) && !found_authority(&a)) {
		explicit_bzero(&a, sizeof(a));
		return false;
	}
	bio = BIO_new_mem_buf(a.key, -1);
	*key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(a.certificate, -1);
	*cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	explicit_bzero(&a, sizeof(a));
	return *key != NULL && *cert != NULL;
}

/* The certificate of a client's key; NULL when it cannot be made. */
static X509 *
sign(const char *login, EVP_PKEY *key, uint64_t until, EVP_PKEY *ca_key,
    X509 *ca)
{
	char email[400] = "email:";
	X509 *cert = make(login, key, until);

	strncat(email, login, sizeof(email) - strlen(email) - 1);
	if (cert != NULL &&
	    X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
	    add_extension(
		cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(
		cert, ca, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(cert, ca, NID_ext_key_usage, "clientAuth") &&
	    X509_sign(cert, ca_key, EVP_sha256()) > 0) {
		/* Nice to have; a login may hold what this syntax may not. */
		if (strpbrk(login, ",\"\\ ") == NULL &&
		    !add_extension(cert, ca, NID_subject_alt_name, email))
			ERR_clear_error();
		if (X509_sign(cert, ca_key, EVP_sha256()) > 0)
			return cert;
	}
	X509_free(cert);
	return NULL;
}

static bool
to_pkcs12(EVP_PKEY *key, X509 *cert, X509 *ca, const char *label,
    const char *passphrase, uint8_t *out, size_t size, size_t *n)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	PKCS12 *p12 = NULL;
	bool ok = false;
	int len;

	if (chain == NULL || sk_X509_push(chain, ca) == 0)
		goto out;
	p12 = PKCS12_create(passphrase, label, key, cert, chain, 0, 0, 0, 0, 0);
	if (p12 == NULL || (len = i2d_PKCS12(p12, NULL)) <= 0 ||
	    (size_t)len > size)
		goto out;
	i2d_PKCS12(p12, &out);
	*n = (size_t)len;
	ok = true;
out:
	PKCS12_free(p12);
	sk_X509_free(chain);
	return ok;
}

bool
authority_issue(const char *login, const char *label, uint64_t expires,
    const char *passphrase, uint8_t *out, size_t size, size_t *n,
    char digest[SHA256_HEX])
{
	uint64_t until = expires != 0
	    ? expires
	    : (uint64_t)loop_wall_ms() / 1000 + TEN_YEARS_S;
	EVP_PKEY *ca_key = NULL, *key = EVP_EC_gen("P-256");
	X509 *ca = NULL, *cert = NULL;
	bool ok;

	ok = key != NULL && open_authority(&ca_key, &ca) &&
	    (cert = sign(login, key, until, ca_key, ca)) != NULL &&
	    tls_key_name(key, digest) &&
	    to_pkcs12(key, cert, ca, label, passphrase, out, size, n);
	if (!ok)
		ERR_clear_error();
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return ok;
}
