/*
 * flow_parts.h - what flow.c and flow_place.c share; for them only.
 */
#ifndef QUEUE_FLOW_PARTS_H
#define QUEUE_FLOW_PARTS_H

#include "queue/flow.h"
#include "queue/ready.h"

enum flow_state { FLOW_EMPTY, FLOW_RUNNABLE, FLOW_BLOCKED };

struct flow_key {
	struct account *account;
	struct dest *dest;
};

struct flow {
	struct flow_key key;
	enum flow_state state;
	struct ready ready;
	unsigned jobs; /* ready, flying, settling */
	struct skip skip;
	TAILQ_ENTRY(flow)
	line;                  /* its account's runnable or its
				 * destination's blocked */
	TAILQ_ENTRY(flow) all; /* of its destination */
	UT_hash_handle hh;
};

/* flow.c: NULL none. */
struct flow *flow_find(struct account *, struct dest *);
unsigned flow_count(void);

/* flow_place.c: how many jobs a flow to there may hold. */
unsigned flow_room(const struct dest *);
/* Is there place for this row?  When not, that is remembered.  NULL: not
 * known. */
bool flow_takes(struct account *, struct dest *, const struct due_key *);

#endif
