/*
 * certificate.c - see certificate.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/certificate.h"
#include "lib/net.h"

/* What Apple's programs bear at most. */
#define VALID_DAYS 825

static bool
crypto_error(char err[CERTIFICATE_ERROR], const char *what)
{
	char reason[200];

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	ERR_clear_error();
	snprintf(err, CERTIFICATE_ERROR, "%s: %s", what, reason);
	return false;
}

static bool
file_error(char err[CERTIFICATE_ERROR], const char *file)
{
	snprintf(err, CERTIFICATE_ERROR, "%.200s: %s", file, strerror(errno));
	return false;
}

static bool
set_serial(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *n = NULL;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, RFC 5280 4.1.2.2 */
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
set_names(X509 *x, const char *hostname)
{
	X509_NAME *name = X509_get_subject_name(x);
	struct net_address ip;
	char san[300];

	snprintf(san, sizeof(san), "%s:%.255s",
	    net_parse(&ip, hostname, strlen(hostname), 1) ? "IP" : "DNS",
	    hostname);
	/* A common name has 64 characters at most (RFC 5280 A.1). */
	return (strlen(hostname) > 64 ||
		   X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		       (const unsigned char *)hostname, -1, -1, 0) == 1) &&
	    X509_set_issuer_name(x, name) == 1 &&
	    add_extension(x, NID_subject_alt_name, san);
}

/* The certificate of a key; NULL when OpenSSL fails. */
static X509 *
sign(EVP_PKEY *key, const char *hostname)
{
	X509 *x = X509_new();

	if (x != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
	    set_serial(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), VALID_DAYS - 1, 0, NULL) !=
		NULL &&
	    X509_set_pubkey(x, key) == 1 && set_names(x, hostname) &&
	    add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(x, NID_ext_key_usage, "serverAuth") &&
	    add_extension(x, NID_subject_key_identifier, "hash") &&
	    X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static FILE *
create(const char *file, mode_t mode)
{
	int fd = open(
	    file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd == -1)
		return NULL;
	/* Whatever the umask is. */
	if (fchmod(fd, mode) == -1) {
		close(fd);
		return NULL;
	}
	return fdopen(fd, "w");
}

static bool
finish(FILE *f, bool written)
{
	if (fflush(f) != 0 || fsync(fileno(f)) == -1)
		written = false;
	return fclose(f) == 0 && written;
}

static bool
write_key(const char *file, EVP_PKEY *key)
{
	FILE *f = create(file, 0600);

	return f != NULL &&
	    finish(f,
		PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) ==
		    1);
}

static bool
write_certificate(const char *file, X509 *x)
{
	FILE *f = create(file, 0644);

	return f != NULL && finish(f, PEM_write_X509(f, x) == 1);
}

bool
certificate_make(const char *certificate, const char *keyfile,
    const char *hostname, char err[CERTIFICATE_ERROR])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key != NULL ? sign(key, hostname) : NULL;
	bool ok = false;

	if (x == NULL) {
		crypto_error(err, "cannot make a certificate");
	} else if (!write_key(keyfile, key)) {
		file_error(err, keyfile);
	} else if (!write_certificate(certificate, x)) {
		file_error(err, certificate);
		/* One without the other would stop the next try. */
		unlink(keyfile);
	} else {
		ok = true;
	}
	X509_free(x);
	EVP_PKEY_free(key);
	return ok;
}
