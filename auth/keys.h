/*
 * keys.h - the server's TLS key, as the parent hands it over.
 *
 * The certificate and the key come as two files; keys_apply() takes them
 * together, because one is of no use without the other.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

/* A file from the parent; takes fd. */
void keys_certificate(int fd);
void keys_private(int fd);

/*
 * Give the key to the signer when it belongs to the certificate.  Otherwise,
 * logged as tls.key, the signer keeps the one it has.  Harmless when no file
 * has come.
 */
void keys_apply(void);

#endif
