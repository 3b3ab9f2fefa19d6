/*
 * trust.h - TLS towards other servers: with anyone, or only with the one
 * that proves itself as the policy asks.
 */
#ifndef DELIVER_TRUST_H
#define DELIVER_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/policy.h"
#include "deliver/resume.h"
#include "deliver/target.h"
#include "lib/io.h"

/* Believe these roots (PEM, borrowed; or NULL: nobody) from now on. */
void trust_configure(const char *roots, size_t n);

/*
 * What two connections must agree on for one to go on with the other's
 * session: where to, whom we are taken for, and all that decided what was
 * looked at.  Arguments as below.
 */
struct resume_key trust_key(const struct target *, const struct policy *,
    const char *domain, const char *self);

/*
 * Start the handshake.  It fails unless the peer proves what the policy asks
 * for: by name (RFC 9525), or by the target's TLSA records (RFC 7672 3), now
 * or when a session began with which it goes on (resume.h).  Without a proof
 * any certificate will do (RFC 7435).
 *
 *   domain  whose mail it is; another name that DANE-TA(2) may have
 *   self    whom the server is to take us for, for it can tell a session that
 *           goes on; NULL: look at everything anew
 *
 * Returns whether it tries to go on with a session.
 */
bool trust_secure(struct io *, const struct target *, const struct policy *,
    const char *domain, const char *self);
/* The handshake failed, and it went on with a session: that may be why. */
void trust_distrust(const struct io *);

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
