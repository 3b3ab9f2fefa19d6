/*
 * signer.h - the threads that make TLS signatures for smtpd.
 *
 * Each smtpd has its own line and thread, so that neither a password nor the
 * store ever delays a handshake.  They know the keys in use and those before,
 * for handshakes that began with an old certificate.
 */
#ifndef AUTH_SIGNER_H
#define AUTH_SIGNER_H

#include <openssl/evp.h>

#include "lib/sha256.h"

/* The keys in use are told anew: those not told again by signer_use() or
 * signer_keep() are forgotten two minutes later, at a signer_begin(). */
void signer_begin(void);
/* Sign with this key from now on.  name is tls_key_name(); takes the key,
 * which is EC or RSA.  CONF_TLS of them at most. */
void signer_use(const char name[SHA256_HEX], EVP_PKEY *);
/* Go on with the key of this name. */
void signer_keep(const char name[SHA256_HEX]);

/* Serve a new line (MSG_TLS_SIGN) until its end; takes fd. */
void signer_serve(int fd);

/* End the threads, close their lines, forget the keys. */
void signer_stop(void);

#endif
