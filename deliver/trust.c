/*
 * trust.c - see trust.h.
 */
#include "deliver/trust.h"
#include "lib/log.h"
#include "lib/tls.h"

static SSL_CTX *any_peer, *known_peer;

void
trust_configure(const char *roots, size_t n)
{
	char why[160];

	if (any_peer == NULL) {
		any_peer = tls_client_new();
		SSL_CTX_set_verify(any_peer, SSL_VERIFY_NONE, NULL);
	}
	SSL_CTX_free(known_peer); /* connections hold a reference */
	known_peer = tls_client_new();
	SSL_CTX_set_verify(known_peer, SSL_VERIFY_PEER, NULL);
	if (roots != NULL && !tls_trust(known_peer, roots, n, why, sizeof(why)))
		log_event("deliver.bad-roots", "error=%s", log_quote(why));
}

void
trust_secure(struct io *io, const struct target *t, bool verify)
{
	int ok = 1;

	io_secure(io, verify ? known_peer : any_peer, false,
	    t->literal ? NULL : t->host);
	/* The handshake waits for the loop, so this is in time. */
	if (verify && t->literal)
		ok = X509_VERIFY_PARAM_set1_ip_asc(
		    SSL_get0_param(io->ssl), t->host);
	else if (verify)
		ok = SSL_set1_host(io->ssl, t->host);
	if (!ok)
		fatal("TLS: cannot verify %s", t->host);
}
