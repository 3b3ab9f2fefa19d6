/*
 * hasher.h - threads that hash, so that the loop never waits 20 ms.
 *
 * As many as there are processors less one, one at least.  Work waits in one
 * lane for each client network; the lanes are served in turn, and one has at
 * most two workers at a time.  Who is known goes before who is not, and who
 * has just been wrong behind both.  64 jobs of each of these three wait at
 * most, and a lane may hold no more than it leaves free: one network never
 * takes the place of the others, and no crowd that of those who are known.
 */
#ifndef AUTH_HASHER_H
#define AUTH_HASHER_H

#include <stdbool.h>
#include <sys/queue.h>

#include "auth/password.h"
#include "auth/scram_verifier.h"

enum hash_op {
	HASH_CHECK, /* is secret right for hash?  If it is and the hash is a
		       weak one, a fresh one is made as well */
	HASH_MAKE,
};

enum hash_turn {
	HASH_FIRST, /* has logged in from this network before */
	HASH_SECOND,
	HASH_LAST, /* its network is guessing, or mistyping */
	HASH_TURNS,
};

struct hash_job {
	enum hash_op op;
	char secret[PASSWORD_MAX + 1]; /* wiped before done() */
	char hash[PASSWORD_HASH];
	bool wants_verifier;
	bool right;                /* out: of HASH_CHECK */
	char fresh[PASSWORD_HASH]; /* out: the new hash, or "" */
	char verifier[SCRAM_MADE]; /* out: of a right secret, if wanted */
	void (*done)(struct hash_job *);
	TAILQ_ENTRY(hash_job) link;
};

/*
 * Start a job, in the caller's memory until done() is called on the loop.
 *
 *   lane  the client's network; "" is the operator, whom no bound holds back
 *
 * False when there is no room: done() will not be called.
 */
bool hasher_submit(struct hash_job *, const char *lane, enum hash_turn);

/* End the threads; jobs that wait are dropped without done().  Returns when
 * the last hash under way is through. */
void hasher_stop(void);

#endif
