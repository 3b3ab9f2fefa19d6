/*
 * trust.h - TLS towards other servers: with anyone, or only with the one
 * whose name the certificate bears.
 */
#ifndef DELIVER_TRUST_H
#define DELIVER_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/search.h"
#include "lib/io.h"

/* Believe these roots (PEM, borrowed; or NULL: nobody) from now on. */
void trust_configure(const char *roots, size_t n);

/* Start the handshake.  With verify it fails unless the certificate is the
 * target's (RFC 9525); else any will do, for the choice is between that and
 * none (RFC 7435). */
void trust_secure(struct io *, const struct target *, bool verify);

#endif
