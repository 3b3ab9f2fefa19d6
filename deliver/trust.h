/*
 * trust.h - TLS towards other servers: with anyone, or only with the one
 * that proves itself as the policy asks.
 */
#ifndef DELIVER_TRUST_H
#define DELIVER_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/policy.h"
#include "deliver/search.h"
#include "lib/io.h"

/* Believe these roots (PEM, borrowed; or NULL: nobody) from now on. */
void trust_configure(const char *roots, size_t n);

/*
 * Start the handshake.  It fails unless the peer proves what the policy asks
 * for: by name (RFC 9525), or by the target's TLSA records (RFC 7672 3).
 * Without a proof any certificate will do (RFC 7435).
 *
 *   domain  whose mail it is; another name that DANE-TA(2) may have
 */
void trust_secure(struct io *, const struct target *, const struct policy *,
    const char *domain);

/* What is wrong with a peer's certificate; the words of RFC 8460 4.3. */
enum trust_flaw {
	TRUST_FINE,
	TRUST_HANDSHAKE, /* it did not come to a certificate */
	TRUST_NAME,
	TRUST_EXPIRED,
	TRUST_UNKNOWN, /* no authority that we believe */
	TRUST_OTHER,
};

/* After a handshake, successful or not; why (may be NULL) gets a sentence for
 * a flaw of the certificate, else "". */
enum trust_flaw trust_flaw(const struct io *, char *why, size_t size);

#endif
