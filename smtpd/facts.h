/*
 * facts.h - what TLS knows of a connection and logins ask for: names of the
 * channel (RFC 9266, RFC 5929) and the key of the client's certificate.
 */
#ifndef SMTPD_FACTS_H
#define SMTPD_FACTS_H

#include <openssl/ssl.h>

#include "smtpd/session.h"

/*
 * Before the handshake: ask the client for a certificate.  It need not have
 * one, and any will do: whose its key is, auth knows, and nobody's signature
 * on it is asked for.
 */
void facts_ask(SSL *);

/* After the handshake.  binding: the channel's names too. */
void facts_read(struct tls_facts *, SSL *, bool binding);

#endif
