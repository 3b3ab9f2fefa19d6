/*
 * certificate.h - which certificate new connections get.
 */
#ifndef SMTPD_CERTIFICATE_H
#define SMTPD_CERTIFICATE_H

#include <openssl/ssl.h>

/* A chain from the parent, not used yet; takes fd.  Logs what is wrong. */
void certificate_take(int fd);

/*
 * Use the chain taken last.  The first one is used at once; a later one as
 * soon as auth has signed with its key.  When auth cannot within ten seconds,
 * the old one stays; that is logged.
 */
void certificate_adopt(void);

/* For a new connection, or NULL while there is none.  Borrowed. */
SSL_CTX *certificate_context(void);

#endif
