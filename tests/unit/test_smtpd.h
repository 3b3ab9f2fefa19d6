/*
 * What the tests of smtpd share: certificates, and auth's signing thread
 * played by a thread that has the keys.
 */
#ifndef TEST_SMTPD_H
#define TEST_SMTPD_H

#include <assert.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/tls.h"

struct pair {
	EVP_PKEY *key;
	char pem[8192]; /* of the certificate */
	size_t pem_len;
	char name[SHA256_HEX];
};

static inline void
pair_make(struct pair *p, const char *kind, const char *cn)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	p->key = strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048)
	    : strcmp(kind, "ED25519") == 0
	    ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	    : EVP_EC_gen(kind);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, p->key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(
	    x, p->key, strcmp(kind, "ED25519") == 0 ? NULL : EVP_sha256());
	PEM_write_bio_X509(bio, x);
	p->pem_len = (size_t)BIO_read(bio, p->pem, sizeof(p->pem));
	assert(tls_key_name(p->key, p->name));
	BIO_free(bio);
	X509_free(x);
}

static inline void
pair_free(struct pair *p)
{
	EVP_PKEY_free(p->key);
}

/* What the signer does with a question. */
enum manner { SIGN, REFUSE, LIE, SILENCE };

struct signer {
	int fd;
	struct pair *keys[3];
	_Atomic enum manner manner;
	atomic_int asked;
	pthread_t thread;
};

static inline bool
signer_sign(
    struct signer *s, const struct msg_tls_sign *q, uint8_t *out, size_t *n)
{
	EVP_PKEY_CTX *ctx;
	bool ok;

	for (int i = 0; i < 3; i++) {
		if (s->keys[i] == NULL || strcmp(s->keys[i]->name, q->key) != 0)
			continue;
		ctx = EVP_PKEY_CTX_new(s->keys[i]->key, NULL);
		ok = EVP_PKEY_sign_init(ctx) == 1;
		if (q->op == SIGN_RSA_PRIVATE)
			ok = ok &&
			    EVP_PKEY_CTX_set_rsa_padding(
				ctx, (int)q->padding) == 1;
		ok = ok &&
		    EVP_PKEY_sign(ctx, out, n, q->data.data, q->data.len) == 1;
		EVP_PKEY_CTX_free(ctx);
		return ok;
	}
	return false;
}

static inline void *
signer_run(void *arg)
{
	struct signer *s = arg;
	uint8_t *record = malloc(MSG_MAX), signature[1024];
	struct msg m, r;
	size_t n;

	while (message_recv(s->fd, P_SMTPD, P_AUTH, &m, record, NULL)) {
		s->asked++;
		if (s->manner == SILENCE)
			continue;
		memset(&r, 0, sizeof(r));
		r.type = MSG_TLS_SIGNED;
		r.tag = m.tag;
		r.u.tls_signed.verdict = V_PERM;
		n = sizeof(signature);
		if (s->manner != REFUSE &&
		    signer_sign(s, &m.u.tls_sign, signature, &n)) {
			if (s->manner == LIE)
				signature[n - 1] ^= 1;
			r.u.tls_signed.verdict = V_OK;
			r.u.tls_signed.signature.data = signature;
			r.u.tls_signed.signature.len = n;
		}
		if (!message_send(s->fd, &r, -1))
			break;
	}
	free(record);
	return NULL;
}

/* Takes fd, which is the far end of the line. */
static inline void
signer_start(struct signer *s, int fd)
{
	s->fd = fd;
	assert(pthread_create(&s->thread, NULL, signer_run, s) == 0);
}

static inline void
signer_stop(struct signer *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

#endif
