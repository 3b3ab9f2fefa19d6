/*
 * tls.h - TLS contexts as postern wants them (RFC 8996, 9325): 1.2 and 1.3,
 * forward secrecy only, no compression, no renegotiation, X25519 first.
 */
#ifndef LIB_TLS_H
#define LIB_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/sha256.h"

#define TLS_TICKET_KEY 80 /* name 16, HMAC key 32, AES key 32 */

/* A context without certificate; never NULL. */
SSL_CTX *tls_server_new(void);
SSL_CTX *tls_client_new(void);
/*
 * A server for devices that were never updated: TLS 1.0 and 1.1 too, SHA-1
 * and CBC, as far as the library still has them.  Forward secrecy all the
 * same: with RSA key exchange this port would be an oracle against sessions of
 * others that use the same key.
 */
SSL_CTX *tls_legacy_new(void);

/*
 * SNI (RFC 6066 3): find(arg, name) gives the context for the name that a
 * client asks for, NULL to stay with this one.  The name is bounded, lower
 * case, and any text at all.
 */
typedef SSL_CTX *tls_find_fn(void *arg, const char *name);
void tls_use_names(SSL_CTX *, tls_find_fn *, void *arg);

/*
 * Before a certificate is sent, and a signature needed, ask hold(): true
 * stops the handshake, which io.h tells as IO_HELD.  Never asked for a resumed
 * session.
 */
void tls_use_hold(SSL_CTX *, bool (*hold)(void));

/* Each name that a certificate is for: its DNS names, lower case, or its
 * common name when it has none (RFC 6125 6.4.4). */
void
tls_each_name(const X509 *, void (*cb)(void *arg, const char *name), void *arg);
/* Whether a name, a pattern like "*.example.net", covers a host: the star
 * stands for one whole label (RFC 6125 6.4.3). */
bool tls_name_covers(const char *pattern, const char *host);

/* Use a PEM chain, leaf first.  The leaf's public key is left in *pub (new
 * reference) when pub is not NULL.  False with a reason in err[]. */
bool tls_use_chain(SSL_CTX *, const char *pem, size_t n, EVP_PKEY **pub,
    char *err, size_t err_size);
/* Trust these PEM roots for verification. */
bool tls_trust(SSL_CTX *, const char *pem, size_t n, char *err, size_t);

/*
 * Session tickets under keys shared by all workers: keys[n][TLS_TICKET_KEY],
 * newest first, copied.  Call again to rotate.
 */
void tls_ticket_keys(const unsigned char *keys, size_t n);
/* Make the context use them. */
void tls_use_tickets(SSL_CTX *);

/* SHA-256 of the SubjectPublicKeyInfo: the name of a key. */
bool tls_key_name(EVP_PKEY *, char out[SHA256_HEX]);

/* The last OpenSSL error as text; empties the error queue. */
const char *tls_error(char *out, size_t size);

#endif
