/*
 * quota.h - how much an account may still send.
 *
 * Each limit over a time is a bucket (meter.h): so much at once, and the same
 * again over its period.  What is used, and to whom an account has written,
 * which tells how many recipients of a message are new to it, is kept by
 * tally.h.
 */
#ifndef AUTH_QUOTA_H
#define AUTH_QUOTA_H

#include <stdbool.h>

#include "ipc/messages.h"

struct quota_ask {
	const char *login;
	const char *label; /* a credential with limits of its own, or NULL */
	const uint64_t *label_limit; /* those, by enum limit; 0 none */
	const uint64_t *limit;       /* the account's, by enum limit */
	uint32_t rcpts;
	struct bytes
	    hashes;      /* RCPT_HASH bytes of each; those without are new */
	uint64_t now_ms; /* since 1970 */
};

struct quota_answer {
	uint32_t news; /* of the recipients, never written to before */
	struct bytes new_hashes; /* of those with a hash, until the next ask */
	bool of_label;    /* it is the credential's limit that is reached */
	enum limit which; /* the one that it takes longest to wait for */
	uint64_t limit;
	uint64_t n;      /* that did not fit */
	int64_t wait_ms; /* until they do; -1 never: they alone are too many */
};

/* Charge a message and its recipients.  False when a limit is reached: nothing
 * was charged, and the answer says which one. */
bool quota_charge(const struct quota_ask *, struct quota_answer *);

/* What was charged was not sent.  Its recipients stay known. */
void quota_undo(const char *login, const char *label, uint32_t rcpts);

/* What is used of each limit that is counted over a time; the others are 0.
 * label is of a credential, or NULL for all of the account. */
void quota_used(const char *login, const char *label,
    const uint64_t limit[LIMITS], uint64_t now_ms, uint64_t used[LIMITS]);

#endif
