/*
 * facts.c - see facts.h.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/tls.h"
#include "smtpd/facts.h"

#define CHAIN_BYTES 32768 /* of what a client sends: to read it costs, too */

static int
take_any(X509_STORE_CTX *store, void *unused)
{
	(void)store, (void)unused;
	return 1;
}

void
facts_take_any(SSL_CTX *ctx)
{
	SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_BYTES);
}

void
facts_ask(SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
}

/* RFC 5929 4.1: the certificate under the hash of its signature, but for MD5
 * and SHA-1, which are SHA-256 then. */
static void
read_endpoint(struct tls_facts *f, SSL *ssl)
{
	X509 *certificate = SSL_get_certificate(ssl);
	const EVP_MD *md = EVP_sha256();
	unsigned n = 0;
	int nid;

	if (certificate == NULL)
		return;
	if (X509_get_signature_info(certificate, &nid, NULL, NULL, NULL) == 1 &&
	    nid != NID_md5 && nid != NID_sha1 && nid != NID_undef)
		md = EVP_get_digestbynid(nid);
	if (md != NULL && (size_t)EVP_MD_get_size(md) <= sizeof(f->endpoint) &&
	    X509_digest(certificate, md, f->endpoint, &n) == 1)
		f->nendpoint = n;
}

static void
read_exporter(struct tls_facts *f, SSL *ssl)
{
	static const char label[] = "EXPORTER-Channel-Binding";

	/* RFC 9266 4: TLS 1.2 needs the extended master secret. */
	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(ssl) != 1)
		return;
	if (SSL_export_keying_material(ssl, f->exporter, sizeof(f->exporter),
		label, sizeof(label) - 1, NULL, 0, 1) == 1)
		f->nexporter = sizeof(f->exporter);
}

void
facts_read(struct tls_facts *f, SSL *ssl, bool binding)
{
	X509 *peer = SSL_get0_peer_certificate(ssl);
	EVP_PKEY *key = peer == NULL ? NULL : X509_get0_pubkey(peer);

	memset(f, 0, sizeof(*f));
	if (key != NULL && !tls_key_name(key, f->certificate))
		f->certificate[0] = '\0';
	if (!binding)
		return;
	read_exporter(f, ssl);
	read_endpoint(f, ssl);
}
