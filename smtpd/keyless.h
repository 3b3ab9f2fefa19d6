/*
 * keyless.h - TLS without the private key: auth has it and signs for us.
 *
 * A handshake needs one signature, and OpenSSL wants it at once, so this is
 * the one place where smtpd waits for a neighbour: on a line of its own, for
 * five seconds at most, and not again before the late answer has come.
 */
#ifndef SMTPD_KEYLESS_H
#define SMTPD_KEYLESS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* The line to auth's signing thread; takes fd, replaces an earlier one. */
void keyless_line(int fd);

/*
 * Let the context, which has a certificate already, sign with the private key
 * that auth keeps for it.  Asks nothing yet.
 *
 *   pub  the certificate's public key, RSA or EC; borrowed
 *
 * False with a reason in err[] for other kinds of keys.
 */
bool keyless_use(SSL_CTX *, EVP_PKEY *pub, char *err, size_t size);

/* Whether a signature asked for now would be waited for with hope: there is a
 * line, auth is at its other end, and it owes us nothing. */
bool keyless_ready(void);

enum keyless { KEYLESS_FITS, KEYLESS_SILENT, KEYLESS_REFUSED, KEYLESS_DIFFERS };

/* Have something signed, and verify it with the certificate. */
enum keyless keyless_try(SSL_CTX *);

#endif
