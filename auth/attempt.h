/*
 * attempt.h - one login from its question to its answer.
 */
#ifndef AUTH_ATTEMPT_H
#define AUTH_ATTEMPT_H

#include <sys/queue.h>

#include "auth/digest.h"
#include "ipc/channel.h"
#include "lib/net.h"

#define ATTEMPTS_MAX 4096 /* alive; about 2 KiB each */

/* How it ended: the client is told the same for several of them. */
enum outcome {
	LOGIN_OK,
	LOGIN_BAD_PASSWORD,
	LOGIN_UNKNOWN_USER,
	LOGIN_SUSPENDED,
	LOGIN_LEGACY,  /* not at a listener for old devices */
	LOGIN_EXPIRED, /* the credential */
	LOGIN_NETWORK, /* it is not for this one */
	LOGIN_MALFORMED,
	LOGIN_CERTIFICATE, /* of the account, which this network needs */
	LOGIN_AUTHZID,     /* wants to act as somebody else */
	LOGIN_CHANNEL,     /* somebody is between the client and us */
	LOGIN_BINDING,     /* of a kind that there is not */
	LOGIN_UNKNOWN_KEY, /* of the client's certificate, if it has one */
	LOGIN_RATE,
	LOGIN_BUSY,
	LOGIN_STALE,
	LOGIN_OUTCOMES
};

struct attempt {
	struct channel *channel;
	uint64_t serial; /* of the channel, to know it again */
	uint64_t tag;
	int64_t began_ms;
	struct msg_auth_check ask; /* its secret is wiped */
	char net[NET_TEXT + 4];
	char user[ADDR_SIZE];              /* the account, or what was typed */
	bool known;                        /* it is an account */
	char credential[CREDENTIAL_LABEL]; /* "" nothing was proved */
	unsigned char digest[DIGEST_SIZE]; /* of user, hash and password */
	enum outcome outcome;
	struct timer timer;
	TAILQ_ENTRY(attempt) link;
};

TAILQ_HEAD(attempts, attempt);

/* The user, digest and what follows from them are for the caller to set. */
struct attempt *attempt_new(struct channel *, const struct msg *);

/*
 * The end of it: log it and answer; a failure late, for guessers wait and
 * a wrong password is to take as long as an unknown name.  The attempt must be
 * in no list, and is not the caller's any more.
 *
 *   cached  the password was known to be right from before
 */
void attempt_settle(struct attempt *, enum outcome, bool cached);

/* As how many tries it counts (throttle.h). */
unsigned attempt_cost(const struct attempt *);

void attempt_free(struct attempt *);
size_t attempt_count(void);

/* Forget those that wait for their answer. */
void attempts_close(void);

#endif
