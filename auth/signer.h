/*
 * signer.h - the thread that makes TLS signatures for smtpd.
 *
 * It has its own line to each smtpd, so that neither a password nor the store
 * ever delays a handshake.  It knows the key in use and the one before, for a
 * handshake that began with the old certificate.
 */
#ifndef AUTH_SIGNER_H
#define AUTH_SIGNER_H

#include <openssl/evp.h>

/* Sign with this key from now on.  name is tls_key_name(); takes the key. */
void signer_use(const char name[65], EVP_PKEY *);

/* Serve a new line (MSG_TLS_SIGN) until its end; takes fd. */
void signer_serve(int fd);

/* End the thread, close its lines, forget the keys. */
void signer_stop(void);

#endif
