/*
 * scram.h - the client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) as a pure
 * machine: four messages in order, each in base64 as SMTP has it.
 *
 *   scram_first()   client-first-message, which names the user
 *   scram_proof()   the answer to the server's challenge
 *   scram_proven()  does the server know the password, too?
 */
#ifndef DELIVER_SCRAM_H
#define DELIVER_SCRAM_H

#include <stdbool.h>
#include <stddef.h>

#define SCRAM_TEXT  1024 /* bytes of any message in base64, with its NUL */
#define SCRAM_NONCE 24   /* letters of ours at most, without a NUL */
#define SCRAM_BYTES 32   /* of SHA-256 */
/* Fewer rounds than RFC 7677 4 wants help whoever listens; more than these
 * would hold up all other mail. */
#define SCRAM_LEAST 4096
#define SCRAM_MOST  100000

/* A secret once there was a proof. */
struct scram {
	char bare[768]; /* of the first message */
	char nonce[SCRAM_NONCE + 1];
	unsigned char server[SCRAM_BYTES]; /* what it must sign with */
};

/*
 *   user   1 to 255 bytes of UTF-8
 *   nonce  16 to SCRAM_NONCE random printable letters, no comma
 */
void scram_first(
    struct scram *, const char *user, const char *nonce, char out[SCRAM_TEXT]);

/*
 * NULL, or why the challenge is none that may be answered.
 *
 *   challenge  borrowed; base64
 */
const char *scram_proof(struct scram *, const char *challenge,
    const char *password, char out[SCRAM_TEXT]);

/* The server's last message, in base64; wipes the struct. */
bool scram_proven(struct scram *, const char *last);

#endif
