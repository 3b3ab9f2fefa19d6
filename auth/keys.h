/*
 * keys.h - the server's TLS keys, as the parent hands them over.
 *
 * Each certificate and its key come as two files; keys_apply() takes them
 * together, because one is of no use without the other.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "ipc/messages.h"
#include "lib/conf.h"

/* A file of a [tls NAME] from the parent ("" is [tls]); takes fd. */
void keys_certificate(const char *section, int fd);
void keys_private(const char *section, int fd);

/*
 * Give to the signer each key of a [tls] section that belongs to its
 * certificate.  Otherwise, logged as tls.key, the signer keeps the one that it
 * has for the section.  Harmless when no file has come.
 */
void keys_apply(const struct conf *);

/* What there is for the i-th section; false when there is no such. */
bool keys_row(size_t i, struct msg_key_row *);

#endif
