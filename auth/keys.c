/*
 * keys.c - see keys.h.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "auth/signer.h"
#include "ipc/child.h"
#include "lib/log.h"
#include "lib/tls.h"

#define FILE_MAX_BYTES (256 * 1024)
#define SECURE_HEAP    (256 * 1024) /* locked in memory, never in a core */

static X509 *certificate;
static EVP_PKEY *key;
static bool incoming;

/* A file's contents in a BIO over *text; NULL when it cannot be read. */
static BIO *
read_pem(int fd, char **text, size_t *n)
{
	*text = child_read_file(fd, FILE_MAX_BYTES, n);
	return *text == NULL ? NULL : BIO_new_mem_buf(*text, (int)*n);
}

void
keys_certificate(int fd)
{
	char *text;
	size_t n;
	BIO *bio = read_pem(fd, &text, &n);

	incoming = true;
	X509_free(certificate);
	certificate =
	    bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	free(text);
}

void
keys_private(int fd)
{
	char *text, nothing[] = "";
	size_t n;
	BIO *bio;

	/* Private numbers live in a heap of their own from the first on. */
	if (!CRYPTO_secure_malloc_initialized())
		CRYPTO_secure_malloc_init(SECURE_HEAP, 32);
	bio = read_pem(fd, &text, &n);
	incoming = true;
	EVP_PKEY_free(key);
	/* The empty passphrase: a key that needs one fails, it never asks. */
	key = bio == NULL ? NULL
			  : PEM_read_bio_PrivateKey(bio, NULL, NULL, nothing);
	BIO_free(bio);
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
}

static const char *
what_is_wrong(void)
{
	if (certificate == NULL)
		return "the certificate is not in PEM form";
	if (key == NULL)
		return "the key is not in PEM form or needs a passphrase";
	if (X509_check_private_key(certificate, key) != 1)
		return "the key does not belong to the certificate";
	if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC"))
		return "the key is neither RSA nor EC";
	return NULL;
}

void
keys_apply(void)
{
	const char *error;
	char name[65], reason[160];

	if (!incoming)
		return;
	incoming = false;
	error = what_is_wrong();
	if (error == NULL && !tls_key_name(key, name))
		error = tls_error(reason, sizeof(reason));
	if (error != NULL) {
		log_event("tls.key", "error=%s", log_quote(error));
		EVP_PKEY_free(key);
	} else {
		log_event("tls.key", "type=%s bits=%d name=%.16s",
		    EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key), name);
		signer_use(name, key);
	}
	key = NULL;
	X509_free(certificate);
	certificate = NULL;
}
