/*
 * refill.h - from the schedule into memory: rows that are due become ready
 * jobs as far as there is place for them.
 *
 * Two walks read the schedule in small slices between other work: one through
 * what has become due, one from where somebody asks who had no place for a row
 * when the first came by.
 */
#ifndef QUEUE_REFILL_H
#define QUEUE_REFILL_H

#include <stdbool.h>

#include "queue/t_due.h"

/* What someone who had no place remembers: the earliest row that was passed
 * over. */
struct skip {
	bool set;
	struct due_key from;
};

void skip_note(struct skip *, const struct due_key *);
/* There is place now: ask for those rows, and forget them. */
void skip_ask(struct skip *);

void refill_start(void);

/* Memory is full; ask again for this row when it is not. */
void refill_starved(const struct due_key *);
/* A row was written whose job is not in memory. */
void refill_expect(const struct due_key *);

/* The end of a turn: read a slice when there is reason to. */
void refill_turn(void);

#endif
