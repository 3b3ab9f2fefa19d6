/*
 * signer.h - DKIM signatures of the messages that leave.
 *
 * Auth has the keys.  Here is what they sign: the header and the hash of the
 * body as they go out.  A message that goes to many destinations is signed
 * once; one that is made 7-bit on its way is another message.
 */
#ifndef DELIVER_SIGNER_H
#define DELIVER_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/letter.h"
#include "ipc/messages.h"

/*
 * fields: the lines to put in front of the message, borrowed; "" when its
 * domain has no key (logged); NULL when they cannot be had just now.
 */
typedef void signer_fn(void *arg, const char *fields);

/* The same, for a message that was signed before; NULL: ask. */
const char *signer_find(uint64_t id, const struct reading *);

/*
 * Sign a message.  Answers once, after this has returned; returns a ticket for
 * signer_forget(), or 0 when there will be no answer, for signer_find() has it
 * now.
 *
 *   id       of the message
 *   reading  borrowed for the call, not begun; it is read from the beginning
 *            and stands there again
 */
uint64_t signer_ask(uint64_t id, struct reading *, signer_fn *, void *arg);
void signer_forget(uint64_t ticket);

/* For keeper.c. */
void signer_answered(const struct msg *);
void signer_bereaved(void);

#endif
