/*
 * vouch.h - what DNSSEC says of one host: where everything on the way to it
 * was validated, its TLSA records count (RFC 7672 2.2).
 *
 * It asks nobody: it says what to ask next, and takes the answer.
 */
#ifndef DELIVER_VOUCH_H
#define DELIVER_VOUCH_H

#include <stdbool.h>

#include "deliver/dane.h"
#include "ipc/messages.h"

enum vouch_step {
	VOUCH_SAID,     /* there is nothing to ask */
	VOUCH_ALIAS,    /* is the alias validated? */
	VOUCH_EXPANDED, /* TLSA records of what the alias stands for */
	VOUCH_NAME,     /* TLSA records of its own name */
};

/* All zero in the beginning: there is no DANE. */
struct vouch {
	bool found, insecure; /* addresses; one of them not validated */
	bool alias;
	char canonical[256]; /* what the alias stands for */
	enum vouch_step step;
	enum dane_state dane;
	struct dane *tlsa; /* with DANE_USABLE; its own */
};

void vouch_clear(struct vouch *);

/* Addresses of the host were found. */
void vouch_address(struct vouch *, const struct answer *, bool secure);
/* Those were all, and the way to the host was validated: from now on nobody
 * knows whether there is DANE until an answer says so (RFC 7672 2.1.2). */
void vouch_begin(struct vouch *);

/*
 * The question whose answer it needs; false when it needs none.
 *
 *   host  its name
 */
#define VOUCH_QUESTION 300
bool vouch_asks(const struct vouch *, const char *host, unsigned port,
    char question[VOUCH_QUESTION], enum rr_type *);
/* Its answer, as dns_answer_fn has it. */
void vouch_hear(struct vouch *, const char *host, enum dns_result,
    const struct answer *, bool secure);

#endif
