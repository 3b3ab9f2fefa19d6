/*
 * keyless.c - see keyless.h.
 *
 * OpenSSL 3 has two ways to have a key elsewhere: a provider of some thousand
 * lines, or the method tables of 1.1.  The tables are deprecated and work in
 * every 3.x; they are set on the RSA or EC_KEY before that is wrapped into an
 * EVP_PKEY, for afterwards the library takes no notice.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "smtpd/keyless.h"
#include "smtpd/text.h"

#define PATIENCE_S 5
#define NAME_SIZE  65

static int line = -1;
static uint64_t asked, answered; /* tags; equal when nothing is owed */
static uint8_t record[MSG_MAX];
static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;
static int rsa_name = -1, ec_name = -1; /* indexes of a key's name */

void
keyless_line(int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };

	if (line != -1)
		close(line);
	line = fd;
	asked = answered = 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static void
hang_up(void)
{
	close(line);
	line = -1;
}

/* Take one answer; false when none came. */
static bool
hear(struct msg *m)
{
	errno = 0;
	if (!message_recv(line, P_AUTH, P_SMTPD, m, record, NULL)) {
		if (errno != EAGAIN)
			hang_up();
		return false;
	}
	if (m->type != MSG_TLS_SIGNED) {
		hang_up();
		return false;
	}
	answered = m->tag;
	return true;
}

/* Whether auth has answered all it was asked, maybe late. */
static bool
is_quits(void)
{
	struct pollfd p = { .fd = line, .events = POLLIN };
	struct msg late;

	while (line != -1 && answered != asked && poll(&p, 1, 0) == 1)
		hear(&late);
	return line != -1 && answered == asked;
}

bool
keyless_ready(void)
{
	ssize_t n;
	char end;

	if (!is_quits())
		return false;
	n = recv(line, &end, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return true;
	hang_up();
	return false;
}

/* One private-key operation; the answer lives until the next one. */
static bool
sign(const char *name, enum sign_op op, int padding, const void *data, size_t n,
    struct bytes *out, bool *silent)
{
	struct msg m = { .type = MSG_TLS_SIGN };
	struct msg_tls_sign *q = &m.u.tls_sign;

	*silent = true;
	if (!is_quits())
		return false;
	m.tag = ++asked;
	text_copy(q->key, sizeof(q->key), name);
	q->op = op;
	q->padding = (uint32_t)padding;
	q->data.data = data;
	q->data.len = n;
	if (!message_send_in(line, &m, -1, record)) {
		hang_up();
		return false;
	}
	if (!hear(&m) || m.tag != asked) {
		log_event("tls.unsigned", "reason=%s", "auth-silent");
		return false;
	}
	*silent = false;
	*out = m.u.tls_signed.signature;
	return m.u.tls_signed.verdict == V_OK;
}

static bool last_silent; /* of the last operation, for keyless_try() */

static int
sign_rsa(
    int n, const unsigned char *data, unsigned char *to, RSA *rsa, int padding)
{
	struct bytes signature;

	if (n < 0 ||
	    !sign(RSA_get_ex_data(rsa, rsa_name), SIGN_RSA_PRIVATE, padding,
		data, (size_t)n, &signature, &last_silent) ||
	    signature.len > (size_t)RSA_size(rsa)) {
		ERR_raise_data(
		    ERR_LIB_RSA, ERR_R_OPERATION_FAIL, "no signature");
		return -1;
	}
	memcpy(to, signature.data, signature.len);
	return (int)signature.len;
}

/* What auth sends is what the library wants: DER. */
static int
sign_ec(int type, const unsigned char *digest, int n, unsigned char *to,
    unsigned *len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
	struct bytes signature;

	(void)type, (void)kinv, (void)r;
	if (n < 0 ||
	    !sign(EC_KEY_get_ex_data(ec, ec_name), SIGN_ECDSA, 0, digest,
		(size_t)n, &signature, &last_silent) ||
	    signature.len > (size_t)ECDSA_size(ec)) {
		ERR_raise_data(
		    ERR_LIB_EC, ERR_R_OPERATION_FAIL, "no signature");
		return 0;
	}
	memcpy(to, signature.data, signature.len);
	*len = (unsigned)signature.len;
	return 1;
}

static void
free_name(void *parent, void *name, CRYPTO_EX_DATA *ad, int index, long argl,
    void *argp)
{
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	OPENSSL_free(name);
}

static void
set_up(void)
{
	if (rsa_method != NULL)
		return;
	rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	rsa_name = RSA_get_ex_new_index(0, NULL, NULL, NULL, free_name);
	ec_name = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, free_name);
	if (rsa_method == NULL || ec_method == NULL || rsa_name == -1 ||
	    ec_name == -1)
		fatal("TLS: no memory");
	RSA_meth_set_priv_enc(rsa_method, sign_rsa);
	EC_KEY_METHOD_set_sign(ec_method, sign_ec, NULL, NULL);
}

static EVP_PKEY *
wrap_rsa(EVP_PKEY *pub, const char *name)
{
	RSA *rsa = RSAPublicKey_dup(EVP_PKEY_get0_RSA(pub));
	EVP_PKEY *key = EVP_PKEY_new();

	if (rsa == NULL || key == NULL ||
	    RSA_set_method(rsa, rsa_method) != 1 ||
	    RSA_set_ex_data(rsa, rsa_name, OPENSSL_strdup(name)) != 1)
		fatal("TLS: no memory");
	RSA_set_flags(rsa, RSA_FLAG_EXT_PKEY);
	if (EVP_PKEY_assign_RSA(key, rsa) != 1)
		fatal("TLS: no memory");
	return key;
}

static EVP_PKEY *
wrap_ec(EVP_PKEY *pub, const char *name)
{
	EC_KEY *ec = EC_KEY_dup(EVP_PKEY_get0_EC_KEY(pub));
	EVP_PKEY *key = EVP_PKEY_new();

	if (ec == NULL || key == NULL ||
	    EC_KEY_set_method(ec, ec_method) != 1 ||
	    EC_KEY_set_ex_data(ec, ec_name, OPENSSL_strdup(name)) != 1 ||
	    EVP_PKEY_assign_EC_KEY(key, ec) != 1)
		fatal("TLS: no memory");
	return key;
}

bool
keyless_use(SSL_CTX *ctx, EVP_PKEY *pub, char *err, size_t size)
{
	char name[NAME_SIZE];
	EVP_PKEY *key = NULL;
	bool ok = false;

	set_up();
	if (!tls_key_name(pub, name)) {
		tls_error(err, size);
		return false;
	}
	if (EVP_PKEY_get_base_id(pub) == EVP_PKEY_RSA)
		key = wrap_rsa(pub, name);
	else if (EVP_PKEY_get_base_id(pub) == EVP_PKEY_EC)
		key = wrap_ec(pub, name);
	else {
		snprintf(err, size, "the key is neither RSA nor EC");
		return false;
	}
	/* The chain is what the file has; nobody looks for a better one, with
	 * a signature to verify, in each handshake. */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	ok = SSL_CTX_use_PrivateKey(ctx, key) == 1;
	if (!ok)
		tls_error(err, size);
	EVP_PKEY_free(key);
	return ok;
}

enum keyless
keyless_try(SSL_CTX *ctx)
{
	static const unsigned char words[] = "is this the key?";
	EVP_PKEY *pub = X509_get_pubkey(SSL_CTX_get0_certificate(ctx));
	EVP_MD_CTX *to_sign = EVP_MD_CTX_new(), *to_verify = EVP_MD_CTX_new();
	enum keyless result = KEYLESS_DIFFERS;
	unsigned char signature[1024];
	size_t n = sizeof(signature);

	if (pub == NULL || to_sign == NULL || to_verify == NULL)
		fatal("TLS: no memory");
	last_silent = false;
	if (EVP_DigestSignInit(to_sign, NULL, EVP_sha256(), NULL,
		SSL_CTX_get0_privatekey(ctx)) != 1 ||
	    EVP_DigestSign(to_sign, signature, &n, words, sizeof(words)) != 1)
		result = last_silent ? KEYLESS_SILENT : KEYLESS_REFUSED;
	else if (EVP_DigestVerifyInit(
		     to_verify, NULL, EVP_sha256(), NULL, pub) == 1 &&
	    EVP_DigestVerify(to_verify, signature, n, words, sizeof(words)) ==
		1)
		result = KEYLESS_FITS;
	ERR_clear_error();
	EVP_MD_CTX_free(to_verify);
	EVP_MD_CTX_free(to_sign);
	EVP_PKEY_free(pub);
	return result;
}
