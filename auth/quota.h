/*
 * quota.h - how much an account may still send.
 *
 * Each limit over a time is a bucket (meter.h): so much at once, and the same
 * again over its period.  What is used lives in memory and goes to the store
 * a second later, without a flush of its own: a killed process loses a second
 * of it.  So do the recipients that an account has written to, which tell how
 * many of a message's are new to it; those of a long list some at a time, so
 * that some seconds of them count as new once more.
 */
#ifndef AUTH_QUOTA_H
#define AUTH_QUOTA_H

#include "auth/guard_rules.h"
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

/* What the guard knows of an account, to be changed at once; it is written
 * with the rest. */
struct guard *quota_guard(const char *login);

/* Write what was counted; when the process ends. */
void quota_write(void);
/* The account is gone, from the store too. */
void quota_forget(const char *login);
void quota_close(void);

#endif
