/*
 * tlsfile.c - see tlsfile.h.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/pemfile.h"
#include "ctl/text.h"
#include "ctl/tlsfile.h"
#include "lib/tls.h"

static uint64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm;
	time_t s = ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;

	return s > 0 ? (uint64_t)s : 0;
}

static void
add_name(void *arg, const char *name)
{
	struct tlsfile *f = arg;

	if (f->nnames < TLSFILE_NAMES)
		snprintf(
		    f->names[f->nnames++], sizeof(f->names[0]), "%s", name);
}

/* "CN=R11, O=Let's Encrypt" becomes one clean line. */
static void
one_line(const X509_NAME *name, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char text[TLSFILE_TEXT / 4];
	int n = 0;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) >= 0)
		n = BIO_read(bio, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
	text_clean(out, size, text);
}

static bool
is_self_signed(const X509 *x)
{
	return X509_NAME_cmp(
		   X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

static enum tlsfile_chain
judge(X509_STORE_CTX *ctx, X509 *leaf, char error[TLSFILE_TEXT])
{
	int why;

	/* Whether it has expired is told apart. */
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
	if (X509_verify_cert(ctx) == 1)
		return CHAIN_COMPLETE;
	why = X509_STORE_CTX_get_error(ctx);
	snprintf(error, TLSFILE_TEXT, "%s", X509_verify_cert_error_string(why));
	if (is_self_signed(leaf))
		return CHAIN_SELF;
	switch (why) {
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return CHAIN_PRIVATE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return CHAIN_SHORT;
	default:
		return CHAIN_WRONG;
	}
}

static void
check_chain(
    struct tlsfile *f, X509 *leaf, STACK_OF(X509) * rest, const char *ca_file)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (store != NULL && ctx != NULL) {
		X509_STORE_load_file(store, ca_file);
		ERR_clear_error();
		if (X509_STORE_CTX_init(ctx, store, leaf, rest) == 1)
			f->chain = judge(ctx, leaf, f->chain_error);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

/* As far as auth signs with it and clients agree to it. */
static bool
is_usable(const EVP_PKEY *key)
{
	static const char *const curves[] = { "prime256v1", "secp384r1",
		"secp521r1" };
	char curve[64];

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= TLSFILE_RSA_LEAST;
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1)
		return false;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(curve, curves[i]) == 0)
			return true;
	return false;
}

static void
describe(struct tlsfile *f, X509 *leaf)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf);

	f->begins = seconds_of(X509_get0_notBefore(leaf));
	f->expires = seconds_of(X509_get0_notAfter(leaf));
	one_line(X509_get_issuer_name(leaf), f->issuer, sizeof(f->issuer));
	f->self_signed = is_self_signed(leaf);
	tls_each_name(leaf, add_name, f);
	if (key == NULL)
		return;
	snprintf(f->type, sizeof(f->type), "%s", EVP_PKEY_get0_type_name(key));
	f->bits = (unsigned)EVP_PKEY_get_bits(key);
	f->usable = is_usable(key);
	tls_key_name(key, f->key);
}

void
tlsfile_read(struct tlsfile *f, const struct conf_tls *t, const char *ca_file)
{
	FILE *file = fopen(t->certificate, "re");
	STACK_OF(X509) *rest = sk_X509_new_null();
	X509 *leaf = NULL, *more;

	memset(f, 0, sizeof(*f));
	f->chain = CHAIN_WRONG;
	if (file == NULL) {
		snprintf(f->error, sizeof(f->error), "%.200s: %s",
		    t->certificate, strerror(errno));
	} else if ((leaf = PEM_read_X509(file, NULL, NULL, NULL)) == NULL) {
		pemfile_tell(t->certificate, PEM_CERTIFICATE, f->error,
		    sizeof(f->error));
	} else {
		while ((more = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
			sk_X509_push(rest, more);
		describe(f, leaf);
		if (ca_file != NULL)
			check_chain(f, leaf, rest, ca_file);
	}
	ERR_clear_error();
	X509_free(leaf);
	sk_X509_pop_free(rest, X509_free);
	if (file != NULL)
		fclose(file);
}

bool
tlsfile_covers(const struct tlsfile *f, const char *name)
{
	for (unsigned i = 0; i < f->nnames; i++)
		if (tls_name_covers(f->names[i], name))
			return true;
	return false;
}

bool
tlsfile_key_fits(
    const struct tlsfile *f, const struct conf_tls *t, char error[TLSFILE_TEXT])
{
	FILE *file = fopen(t->key, "re");
	char name[SHA256_HEX] = "", nothing[] = "";
	EVP_PKEY *key = NULL;
	bool ok = false;

	if (file == NULL) {
		snprintf(
		    error, TLSFILE_TEXT, "%.200s: %s", t->key, strerror(errno));
		return false;
	}
	key = PEM_read_PrivateKey(file, NULL, NULL, nothing);
	fclose(file);
	ERR_clear_error();
	if (key == NULL)
		pemfile_tell(t->key, PEM_KEY, error, TLSFILE_TEXT);
	else if (!tls_key_name(key, name) || strcmp(name, f->key) != 0)
		snprintf(error, TLSFILE_TEXT,
		    "%.200s does not belong to the certificate; name its key",
		    t->key);
	else
		ok = true;
	EVP_PKEY_free(key);
	return ok;
}
