/*
 * permits.h - each message has one permit of auth's, and each permit serves
 * one message.
 */
#ifndef QUEUE_PERMITS_H
#define QUEUE_PERMITS_H

#include "ipc/channel.h"
#include "ipc/token.h"

/* So many of the newest are told apart; an older one is TOKEN_OLD, and so is
 * one from before this process began.  70 minutes of 4,000 messages/s. */
#define PERMITS_WINDOW (1u << 24)

/*
 * May this one be spent on such a message?  It is, when the answer is
 * TOKEN_FINE.
 *
 *   rcpts, size  of the message; 0 and 0 to give it back
 */
enum token_fault permits_spend(const struct permit *,
    const struct permit_claim *, uint32_t rcpts, uint64_t size);

/* The message was not taken after all. */
void permits_restore(const struct permit *);

/* Once, before the first of them. */
void permits_start(void);

/* The line to auth; borrowed. */
void permits_line(struct channel *);

/* A MSG_PERMIT_RETURN: if it was not spent it never will be, and auth hears
 * that the account is not to be charged. */
void permits_return(const struct channel *smtpd, const struct msg *);

#endif
