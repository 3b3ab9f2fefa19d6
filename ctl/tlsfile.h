/*
 * tlsfile.h - what can be told about a certificate file: its names, how long
 * it lasts, whether its chain is whole.
 */
#ifndef CTL_TLSFILE_H
#define CTL_TLSFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/sha256.h"

#define TLSFILE_NAMES     100
#define TLSFILE_TEXT      300
#define TLSFILE_RSA_LEAST 2048 /* bits; OpenSSL refuses less */

enum tlsfile_chain {
	CHAIN_COMPLETE, /* up to an issuer that is in tls.ca-file */
	CHAIN_SELF,     /* it signed itself */
	CHAIN_SHORT,    /* the issuer is neither in the file nor known */
	CHAIN_PRIVATE,  /* whole, up to a root that is not in tls.ca-file */
	CHAIN_WRONG,    /* the certificates do not belong together */
	CHAIN_COUNT
};

struct tlsfile {
	char error[TLSFILE_TEXT];  /* "" readable; else nothing below is set */
	char issuer[TLSFILE_TEXT]; /* one line */
	char names[TLSFILE_NAMES][256];
	unsigned nnames;
	uint64_t begins, expires; /* unix seconds */
	bool self_signed;
	enum tlsfile_chain chain;
	char chain_error[TLSFILE_TEXT]; /* in OpenSSL's words, or "" */
	char type[16];                  /* "RSA", "EC" */
	unsigned bits;
	bool usable;          /* clients agree to a key of this kind */
	char key[SHA256_HEX]; /* tls_key_name() */
};

/* Read the certificate of a [tls] section.  Says nothing.  ca_file NULL: the
 * chain is not looked at, and stays CHAIN_WRONG. */
void
tlsfile_read(struct tlsfile *, const struct conf_tls *, const char *ca_file);

/* Whether one of its names covers this one. */
bool tlsfile_covers(const struct tlsfile *, const char *name);

/* Whether the key file holds the key of the certificate, for when no server
 * runs who could tell; otherwise what is wrong, in *error. */
bool tlsfile_key_fits(
    const struct tlsfile *, const struct conf_tls *, char error[TLSFILE_TEXT]);

#endif
