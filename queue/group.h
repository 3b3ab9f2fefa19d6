/*
 * group.h - the batch: every change of a moment in one transaction, every
 * transaction of a moment behind one log flush.
 *
 * A change waits in the gathering until the next commit; after the commit it
 * is visible; after a log flush that began later, made by a thread while the
 * loop goes on, it is durable.  What comes meanwhile is the next group, so
 * groups grow with load by themselves.  More than one flush is under way only
 * where they take long.
 */
#ifndef QUEUE_GROUP_H
#define QUEUE_GROUP_H

#include <stdbool.h>
#include <sys/queue.h>

#include "queue/t_meta.h"

struct change {
	TAILQ_ENTRY(change) link;
	/* Write the rows.  Adjust the totals, which go into the same
	 * transaction. */
	void (*apply)(struct txn *, struct totals *, struct change *);
	/* It is visible.  May be NULL.  May add changes. */
	void (*committed)(struct change *);
	/* It survives power loss.  Frees the change. */
	void (*durable)(struct change *);
};

enum hurry {
	HURRY_NOT, /* committed within 20 ms, durable within half a second */
	HURRY_NOW, /* somebody waits for it to be durable */
};

/* The store is open. */
void group_start(void);

/* Changes added without a turn of the loop between them share a
 * transaction; they are applied in the order they came. */
void group_add(struct change *, enum hurry);

/* What was gathered is committed when this returns; for whoever is about to
 * read or change the same rows by other means. */
void group_commit(void);

/* The end of a turn: commit and flush what is ripe. */
void group_turn(void);

/* While paused nothing is committed by itself; what came is kept. */
void group_pause(bool);
/* Commit and flush all there is without waiting for more. */
void group_finish(void);
/* Everything added is durable now. */
bool group_idle(void);
/* Ends the flusher; idle. */
void group_stop(void);

/* A new id for a message; see ids.h. */
uint64_t group_new_id(void);
const struct totals *group_totals(void);
/* Changes that wait for their commit. */
unsigned group_gathered(void);
/* Groups flushed since the start. */
uint64_t group_count(void);

#endif
