/*
 * account.h - accounts as far as the schedule knows them: those with jobs in
 * memory, and those that are suspended.
 */
#ifndef QUEUE_ACCOUNT_H
#define QUEUE_ACCOUNT_H

#include <sys/queue.h>
#include <uthash.h>

#include "queue/refill.h"

struct flow;

struct account {
	char *name;
	uint64_t hash;
	bool suspended;
	unsigned told; /* which time auth said so */
	unsigned flows;
	unsigned jobs;                  /* in memory, in its flows */
	unsigned flying;                /* of them */
	int64_t window;                 /* turn.c: the minute at hand */
	unsigned landed, landed_before; /* flights */
	bool in_turn, sated;
	struct skip skip; /* rows passed over: suspended, or too many */
	TAILQ_HEAD(, flow) runnable;
	TAILQ_ENTRY(account) turn; /* or among the sated */
	UT_hash_handle hh;
};

/* NULL when it is not known. */
struct account *account_find(uint64_t hash);
/* Made when it is new. */
struct account *account_for(const char *name);
/* Forget it if there is nothing to remember. */
void account_release(struct account *);

/* Does nothing but set the mark, and count. */
void account_mark(struct account *, bool suspended);
/* Call cb for those that are suspended, but not by this telling. */
void account_each_untold(unsigned told, void (*cb)(struct account *));
unsigned account_count_suspended(void);

#endif
