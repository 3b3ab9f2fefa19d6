/*
 * keys.c - see keys.h.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/keys.h"
#include "auth/signer.h"
#include "ipc/child.h"
#include "lib/log.h"
#include "lib/tls.h"

#define CERTIFICATE_MOST (256 * 1024)
#define KEY_MOST         (32 * 1024)

/* The two files of a section, as they came. */
static struct incoming {
	char section[256];
	X509 *certificate;
	EVP_PKEY *key;
} incoming[CONF_TLS];
static size_t nincoming;

static struct msg_key_row rows[CONF_TLS];
static size_t nrows;

static struct incoming *
find_incoming(const char *section)
{
	for (size_t i = 0; i < nincoming; i++)
		if (strcmp(incoming[i].section, section) == 0)
			return &incoming[i];
	if (nincoming == CONF_TLS)
		fatal("more keys than sections");
	snprintf(incoming[nincoming].section, sizeof(incoming->section), "%s",
	    section);
	return &incoming[nincoming++];
}

void
keys_certificate(const char *section, int fd)
{
	struct incoming *in = find_incoming(section);
	size_t n = 0;
	char *text = child_read_file(fd, CERTIFICATE_MOST, &n);
	BIO *bio = text == NULL ? NULL : BIO_new_mem_buf(text, (int)n);

	X509_free(in->certificate);
	in->certificate =
	    bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	free(text);
}

/* A file into the heap that is locked in memory and in no core; -1 when it is
 * unreadable or too long.  Closes fd. */
static ssize_t
read_secret(int fd, char *to, size_t most)
{
	size_t n = 0;
	ssize_t k;

	do {
		k = pread(fd, to + n, most - n, (off_t)n);
		if (k > 0)
			n += (size_t)k;
	} while (n < most && (k > 0 || (k == -1 && errno == EINTR)));
	close(fd);
	return k == -1 || n == most ? -1 : (ssize_t)n;
}

/*
 * PEM_read_bio_PrivateKey() would leave a copy in ordinary memory.  The empty
 * passphrase: a key that needs one fails, it never asks.
 */
static EVP_PKEY *
parse_key(const char *text, size_t n)
{
	BIO *bio = BIO_new_mem_buf(text, (int)n);
	unsigned char *der = NULL;
	const unsigned char *p;
	char nothing[] = "";
	EVP_PKEY *key = NULL;
	long len = 0;

	if (bio != NULL &&
	    PEM_bytes_read_bio_secmem(&der, &len, NULL, PEM_STRING_EVP_PKEY,
		bio, NULL, nothing) == 1) {
		p = der;
		key = d2i_AutoPrivateKey(NULL, &p, len);
		OPENSSL_secure_clear_free(der, (size_t)len);
	}
	BIO_free(bio);
	return key;
}

void
keys_private(const char *section, int fd)
{
	struct incoming *in = find_incoming(section);
	char *text = OPENSSL_secure_malloc(KEY_MOST);
	ssize_t n;

	if (text == NULL)
		fatal("no room for a TLS key");
	n = read_secret(fd, text, KEY_MOST);
	EVP_PKEY_free(in->key);
	in->key = n == -1 ? NULL : parse_key(text, (size_t)n);
	OPENSSL_secure_clear_free(text, KEY_MOST);
}

static const char *
what_is_wrong(const struct incoming *in)
{
	if (in->certificate == NULL)
		return "the certificate is not in PEM form";
	if (in->key == NULL)
		return "the key is not in PEM form or needs a passphrase";
	if (X509_check_private_key(in->certificate, in->key) != 1)
		return "the key does not belong to the certificate";
	if (!EVP_PKEY_is_a(in->key, "RSA") && !EVP_PKEY_is_a(in->key, "EC"))
		return "the key is neither RSA nor EC";
	return NULL;
}

/* Take the key of a section, or keep the one there is. */
static void
apply(struct incoming *in, struct msg_key_row *row)
{
	const char *section = *in->section != '\0' ? in->section : "-";
	const char *error = what_is_wrong(in);
	char name[SHA256_HEX], reason[160];

	if (error == NULL && !tls_key_name(in->key, name))
		error = tls_error(reason, sizeof(reason));
	ERR_clear_error();
	if (error != NULL) {
		log_event("tls.key", "section=%s error=%s", section,
		    log_quote(error));
		snprintf(row->error, sizeof(row->error), "%s", error);
		if (row->key[0] != '\0')
			signer_keep(row->key);
		EVP_PKEY_free(in->key);
		return;
	}
	row->error[0] = '\0';
	snprintf(row->type, sizeof(row->type), "%s",
	    EVP_PKEY_get0_type_name(in->key));
	row->bits = (uint32_t)EVP_PKEY_get_bits(in->key);
	/* What the log says is in use is in use. */
	signer_use(name, in->key);
	if (strcmp(row->key, name) != 0)
		log_event("tls.key", "section=%s type=%s bits=%u name=%.16s",
		    section, row->type, row->bits, name);
	snprintf(row->key, sizeof(row->key), "%s", name);
}

static void
make_row(struct msg_key_row *row, const char *section)
{
	for (size_t i = 0; i < nrows; i++)
		if (strcmp(rows[i].section, section) == 0) {
			*row = rows[i];
			return;
		}
	snprintf(row->section, sizeof(row->section), "%s", section);
	snprintf(row->error, sizeof(row->error), "no key has come");
}

void
keys_apply(const struct conf *conf)
{
	static struct msg_key_row fresh[CONF_TLS];

	if (nincoming == 0)
		return;
	memset(fresh, 0, sizeof(fresh));
	signer_begin();
	for (size_t i = 0; i < conf->ntls; i++)
		make_row(&fresh[i], conf->tls[i].name);
	for (size_t i = 0; i < nincoming; i++) {
		struct msg_key_row *row = NULL;

		for (size_t k = 0; k < conf->ntls && row == NULL; k++)
			if (strcmp(fresh[k].section, incoming[i].section) == 0)
				row = &fresh[k];
		if (row != NULL)
			apply(&incoming[i], row);
		else
			EVP_PKEY_free(incoming[i].key);
		X509_free(incoming[i].certificate);
	}
	memset(incoming, 0, sizeof(incoming));
	nincoming = 0;
	memcpy(rows, fresh, sizeof(rows));
	nrows = conf->ntls;
}

bool
keys_row(size_t i, struct msg_key_row *row)
{
	if (i >= nrows)
		return false;
	*row = rows[i];
	return true;
}
