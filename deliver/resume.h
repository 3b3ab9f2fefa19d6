/*
 * resume.h - TLS sessions to begin the next connection with: the handshake
 * then costs neither a signature nor a look at certificates.
 *
 * What is not looked at again must have been looked at: a session serves
 * those connections only that ask for the same proof, by the same names and
 * the same TLSA records, at the same address (trust.c makes the key), with
 * the context, and so the roots, under which it was made.
 */
#ifndef DELIVER_RESUME_H
#define DELIVER_RESUME_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "lib/sha256.h"

#define RESUME_MOST   256  /* sessions kept, of some KiB each */
#define RESUME_EACH   4    /* of them for one key */
#define RESUME_MOST_S 3600 /* a session's age, whatever its server says */

/* A digest of everything that a connection must agree on. */
struct resume_key {
	uint8_t bytes[SHA256_SIZE];
};

/* Connections by this context leave their sessions here. */
void resume_use(SSL_CTX *);

/* Before a handshake: begin with a session, if there is one, and keep what
 * the server gives.  Returns whether there was one. */
bool resume_offer(SSL *, const struct resume_key *);

/* A handshake that began with a session failed: for RESUME_MOST_S nothing is
 * resumed with this key. */
void resume_failed(const SSL *);

/* Forget all sessions. */
void resume_clear(void);

unsigned resume_count(void);

#endif
