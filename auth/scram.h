/*
 * scram.h - the server's side of SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677,
 * RFC 9266) as a pure machine: three messages in order, no store, no clock.
 *
 *   scram_first()      client-first-message: whom does it name?
 *   scram_challenge()  server-first-message, from that account's verifier
 *   scram_final()      client-final-message: is the proof right?
 */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/scram_verifier.h"

#define SCRAM_MESSAGE 1024 /* bytes of any message, with a NUL */
#define SCRAM_NONCE   24   /* letters of ours, without a NUL */
#define SCRAM_BINDING 24   /* "tls-server-end-point" and a NUL */

enum scram_result {
	SCRAM_OK,
	SCRAM_MALFORMED,
	SCRAM_AUTHZID,   /* wants to act as somebody else */
	SCRAM_DOWNGRADE, /* it was told that there is no -PLUS: RFC 5802 6 */
	SCRAM_UNBOUND,   /* it is on another channel than we are */
	SCRAM_WRONG,     /* the password */
};

struct scram {
	char user[256];              /* set by scram_first(); UTF-8 */
	char binding[SCRAM_BINDING]; /* the channel binding's name, "" none */
	char gs2[SCRAM_MESSAGE], bare[SCRAM_MESSAGE], server[SCRAM_MESSAGE];
	char nonce[SCRAM_MESSAGE];
	struct scram_verifier verifier;
};

/*
 *   plus     the mechanism is -PLUS
 *   offered  -PLUS is on offer
 */
enum scram_result scram_first(
    struct scram *, const char *message, size_t n, bool plus, bool offered);

/* nonce: SCRAM_NONCE random printable letters, no comma. */
void scram_challenge(struct scram *, const struct scram_verifier *,
    const char *nonce, char out[SCRAM_MESSAGE]);

/*
 *   binding  the data of the channel that s->binding names; nbytes 0 when
 *            it has none
 *   out      on SCRAM_OK the server-final-message
 */
enum scram_result scram_final(struct scram *, const char *message, size_t n,
    const unsigned char *binding, size_t nbytes, char out[SCRAM_MESSAGE]);

#endif
