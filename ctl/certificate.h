/*
 * certificate.h - a certificate to begin with.
 */
#ifndef CTL_CERTIFICATE_H
#define CTL_CERTIFICATE_H

#include <stdbool.h>

#define CERTIFICATE_ERROR 300

/*
 * Make a P-256 key (PKCS #8, mode 0600) and a certificate that it signed
 * itself (mode 0644) for a host name or an IP address, both PEM.  Files that
 * exist are never written over.  False with a reason in err[].
 */
bool certificate_make(const char *certificate, const char *key,
    const char *hostname, char err[CERTIFICATE_ERROR]);

#endif
