/*
 * trust.c - see trust.h.
 */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "deliver/trust.h"
#include "lib/log.h"
#include "lib/tls.h"

/* Without roots, with those of the operator, and with none but TLSA. */
static SSL_CTX *any_peer, *known_peer, *dane_peer;

void
trust_configure(const char *roots, size_t n)
{
	char why[160];

	if (any_peer == NULL) {
		any_peer = tls_client_new();
		resume_use(any_peer);
		SSL_CTX_set_verify(any_peer, SSL_VERIFY_NONE, NULL);
		dane_peer = tls_client_new();
		resume_use(dane_peer);
		SSL_CTX_set_verify(dane_peer, SSL_VERIFY_PEER, NULL);
		if (SSL_CTX_dane_enable(dane_peer) != 1)
			fatal("TLS: no DANE");
	}
	SSL_CTX_free(known_peer); /* connections hold a reference */
	resume_clear();           /* by other roots, maybe */
	known_peer = tls_client_new();
	resume_use(known_peer);
	SSL_CTX_set_verify(known_peer, SSL_VERIFY_PEER, NULL);
	if (roots != NULL && !tls_trust(known_peer, roots, n, why, sizeof(why)))
		log_event("deliver.bad-roots", "error=%s", log_quote(why));
}

/*
 * RFC 7672 3.1.1: DANE-EE(3) asks neither name nor date.  3.2.2: with
 * DANE-TA(2) the certificate may have the name of the TLSA base domain, of
 * the host in the MX record, or of the mail domain.
 */
static void
use_tlsa(SSL *ssl, const struct target *t, const char *domain)
{
	const struct dane *d = t->tlsa;
	int ok = SSL_dane_enable(ssl, d->base) == 1;

	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	ok = ok && SSL_add1_host(ssl, t->host) == 1;
	if (t->by_mx)
		ok = ok && SSL_add1_host(ssl, domain) == 1;
	for (unsigned i = 0; ok && i < d->n; i++) {
		const struct tlsa *r = &d->records[i];

		ok = SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
			 (unsigned char *)r->data, r->len) >= 0;
	}
	/* Without a record that it took the handshake fails, as it must. */
	if (!ok)
		log_event("deliver.bad-tlsa", "host=%s", log_quote(d->base));
}

static void
use_name(SSL *ssl, const struct target *t)
{
	int ok;

	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (t->literal)
		ok =
		    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->host);
	else
		ok = SSL_set1_host(ssl, t->host);
	if (!ok)
		fatal("TLS: cannot verify %s", t->host);
}

static void
feed_text(struct sha256 *h, const char *s)
{
	sha256_feed(h, s, strlen(s) + 1);
}

/* The same in whatever order they come. */
static void
sum_records(const struct dane *d, uint8_t sum[SHA256_SIZE])
{
	uint8_t one[SHA256_SIZE];
	struct sha256 *h = sha256_new();

	memset(sum, 0, SHA256_SIZE);
	for (unsigned i = 0; i < d->n; i++) {
		const struct tlsa *r = &d->records[i];
		const uint8_t kind[] = { r->usage, r->selector, r->matching };

		sha256_reset(h);
		sha256_feed(h, kind, sizeof(kind));
		sha256_feed(h, r->data, r->len);
		sha256_end(h, one);
		for (size_t k = 0; k < sizeof(one); k++)
			sum[k] ^= one[k];
	}
	sha256_free(h);
}

/* Records that changed are another key, so that a server whose key was stolen
 * does not live on in a session. */
struct resume_key
trust_key(const struct target *t, const struct policy *p, const char *domain,
    const char *self)
{
	const uint8_t how[] = { p->proof, p->by, p->tls, p->watch, t->literal,
		t->by_mx };
	uint8_t sum[SHA256_SIZE];
	struct sha256 *h = sha256_new();
	struct resume_key key;

	sha256_feed(h, how, sizeof(how));
	sha256_feed(h, &t->address.ss, t->address.len);
	feed_text(h, t->host);
	feed_text(h, self);
	if (p->proof == PROOF_TLSA) {
		feed_text(h, domain);
		feed_text(h, t->tlsa->base);
		sum_records(t->tlsa, sum);
		sha256_feed(h, sum, sizeof(sum));
	}
	sha256_end(h, key.bytes);
	sha256_free(h);
	return key;
}

static void
demand(struct io *io, const struct target *t, const struct policy *p,
    const char *domain)
{
	const char *sni = t->literal ? NULL : t->host;

	/* The handshake waits for the loop, so what follows is in time. */
	switch (p->proof) {
	case PROOF_NONE:
		io_secure(io, p->watch ? known_peer : any_peer, false, sni);
		if (p->watch) {
			use_name(io->ssl, t);
			SSL_set_verify(io->ssl, SSL_VERIFY_NONE, NULL);
		}
		break;
	case PROOF_NAME:
		io_secure(io, known_peer, false, sni);
		use_name(io->ssl, t);
		break;
	case PROOF_TLSA:
		io_secure(io, dane_peer, false, t->tlsa->base);
		use_tlsa(io->ssl, t, domain);
		break;
	}
}

bool
trust_secure(struct io *io, const struct target *t, const struct policy *p,
    const char *domain, const char *self)
{
	struct resume_key key;

	demand(io, t, p, domain);
	if (self == NULL)
		return false;
	key = trust_key(t, p, domain, self);
	return resume_offer(io->ssl, &key);
}

void
trust_distrust(const struct io *io)
{
	if (io->ssl != NULL)
		resume_failed(io->ssl);
}

enum trust_flaw
trust_flaw(const struct io *io, char *why, size_t size)
{
	long result =
	    io->ssl != NULL ? SSL_get_verify_result(io->ssl) : X509_V_OK;

	if (why != NULL)
		*why = '\0';
	if (result == X509_V_OK)
		return io->failed || io->handshaking ? TRUST_HANDSHAKE
						     : TRUST_FINE;
	if (why != NULL)
		snprintf(why, size, "certificate: %s",
		    X509_verify_cert_error_string(result));
	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TRUST_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TRUST_EXPIRED;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TRUST_UNKNOWN;
	default:
		return TRUST_OTHER;
	}
}
