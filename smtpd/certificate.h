/*
 * certificate.h - which certificates new connections get: one for those who
 * ask for no name that is known, others by the name they ask for (SNI).
 */
#ifndef SMTPD_CERTIFICATE_H
#define SMTPD_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "lib/conf.h"

/* The chain of a [tls NAME] from the parent ("" is [tls]), not used yet; takes
 * fd. */
void certificate_take(const char *section, int fd);

/*
 * Use the chains taken last for the [tls] sections of this configuration.
 * Where there was none before it is used at once; a changed one as soon as
 * auth has signed with its key.  When auth cannot within ten seconds, or it is
 * no certificate, the old one stays.  Each change is logged, and why there is
 * none.
 *
 *   hold  see tls_use_hold()
 */
void certificate_adopt(const struct conf *, bool (*hold)(void));

/* For a new connection, or NULL while there is none.  Borrowed.  A legacy one
 * speaks TLS 1.0 and 1.1 too; there is none without a [listen] that is so. */
SSL_CTX *certificate_context(bool legacy);

#endif
