/*
 * lookup.h - questions to the resolver that are asked together, and whose
 * answers are awaited together.
 *
 * An answer of the resolver cannot be called off.  A lookup knows which of
 * them somebody still waits for, and outlives its owner for the others.
 */
#ifndef DELIVER_LOOKUP_H
#define DELIVER_LOOKUP_H

#include <stdbool.h>

#include "deliver/answer.h"
#include "ipc/messages.h"

struct lookup;

/*
 * An answer.  May ask more, and does not free the lookup.
 *
 *   about   what lookup_ask() was told
 *   answer  borrowed for the call; on DNS_FOUND
 *   secure  the result was validated
 */
typedef void lookup_answer_fn(void *arg, enum rr_type, unsigned about,
    enum dns_result, const struct answer *answer, bool secure);
/* That was the last one.  May free the lookup. */
typedef void lookup_ready_fn(void *arg);

/* Never NULL. */
struct lookup *lookup_new(lookup_answer_fn *, lookup_ready_fn *, void *arg);
/* No answer comes any more. */
void lookup_free(struct lookup *);

/* The answer comes once, perhaps before this returns. */
void
lookup_ask(struct lookup *, const char *name, enum rr_type, unsigned about);
/* Between these more questions follow: it is not ready.  Nor does the end say
 * so; look whether it waits. */
void lookup_begin(struct lookup *);
void lookup_end(struct lookup *);

/* Is there an answer to wait for? */
bool lookup_waits(const struct lookup *);
/* What was asked so far is not answered any more. */
void lookup_forget(struct lookup *);

#endif
