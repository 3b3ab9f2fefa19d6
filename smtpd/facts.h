/*
 * facts.h - what TLS knows of a connection and logins ask for: names of the
 * channel (RFC 9266, RFC 5929) and the key of the client's certificate.
 */
#ifndef SMTPD_FACTS_H
#define SMTPD_FACTS_H

#include <openssl/ssl.h>

#include "smtpd/session.h"

/*
 * Any certificate of a client will do: whose its key is, auth knows, and
 * nobody's signature on it is asked for.  So nothing that stands behind it is
 * looked at either, a hundred signatures that take a millisecond each.
 */
void facts_take_any(SSL_CTX *);

/* Before the handshake: ask the client for a certificate, which it need not
 * have. */
void facts_ask(SSL *);

/* After the handshake.  binding: the channel's names too. */
void facts_read(struct tls_facts *, SSL *, bool binding);

#endif
