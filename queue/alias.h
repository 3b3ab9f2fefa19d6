/*
 * alias.h - domains that lead to a destination, so that the hashes in a row of
 * the schedule are enough to know where it goes.
 */
#ifndef QUEUE_ALIAS_H
#define QUEUE_ALIAS_H

#include "lib/conf.h"
#include "queue/refill.h"

struct dest;

/* Mail like this one goes to the destination, by this route.  A row for which
 * that is so of one mail and not of another is known to none. */
void
alias_note(struct dest *, const struct conf_route *, const struct conf_mail *);
/* Where a row goes, when it is known; or NULL. */
struct dest *alias_find(const struct due_row *);

/* Forget what leads to this destination. */
void alias_drop(struct dest *);
/* Forget which rows do not tell where they go. */
void alias_drop_torn(void);

#endif
