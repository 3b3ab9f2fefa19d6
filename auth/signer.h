/*
 * signer.h - the thread that makes TLS signatures for smtpd.
 *
 * It has its own line to each smtpd, so that neither a password nor the store
 * ever delays a handshake.  It knows the keys in use and those before, for
 * handshakes that began with an old certificate.
 */
#ifndef AUTH_SIGNER_H
#define AUTH_SIGNER_H

#include <openssl/evp.h>

/* The keys in use are told anew: those not told again by signer_use() or
 * signer_keep() are forgotten two minutes later, at a signer_begin(). */
void signer_begin(void);
/* Sign with this key from now on.  name is tls_key_name(); takes the key.
 * CONF_TLS of them at most. */
void signer_use(const char name[65], EVP_PKEY *);
/* Go on with the key of this name. */
void signer_keep(const char name[65]);

/* Serve a new line (MSG_TLS_SIGN) until its end; takes fd. */
void signer_serve(int fd);

/* End the thread, close its lines, forget the keys. */
void signer_stop(void);

#endif
