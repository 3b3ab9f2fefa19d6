/*
 * history.h - what became of messages: the journal, and finding things in it.
 *
 * An event is in the journal in the transaction that makes it true.  Its
 * entries in the index follow some seconds later, sorted and many at a time,
 * so that they cost the way of a mail next to nothing; after a crash those
 * that are missing are made from the journal again.
 */
#ifndef QUEUE_HISTORY_H
#define QUEUE_HISTORY_H

#include "queue/t_index.h"
#include "queue/t_journal.h"
#include "queue/t_meta.h"

/* The store is open.  Entries that a crash left out are made, in slices. */
void history_start(void);
/* The queue ends: what was noted is in the index when the changes added now
 * are durable. */
void history_stop(void);

/* Write an event, in a transaction. */
void history_add(
    struct txn *, struct totals *, uint64_t time, const struct journal_row *);

/* Everything that happened is in the index now, unless it is still being made
 * again after a crash: then false. */
bool history_settle(void);

/* The oldest time (unix milliseconds) that is kept. */
uint64_t history_since(void);

#endif
