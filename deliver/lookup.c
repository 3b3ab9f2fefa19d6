/*
 * lookup.c - see lookup.h.
 */
#include <stdlib.h>

#include "deliver/dns.h"
#include "deliver/lookup.h"

struct lookup {
	lookup_answer_fn *answer;
	lookup_ready_fn *ready;
	void *arg;
	unsigned pending;    /* questions we wait for, and lookup_begin() */
	unsigned open;       /* questions that know this struct */
	unsigned generation; /* of questions; older ones are not waited for */
	bool freed;
};

struct question {
	struct lookup *lookup;
	unsigned generation;
	enum rr_type type;
	unsigned about;
};

struct lookup *
lookup_new(lookup_answer_fn *answer, lookup_ready_fn *ready, void *arg)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->answer = answer;
	l->ready = ready;
	l->arg = arg;
	return l;
}

void
lookup_free(struct lookup *l)
{
	l->freed = true;
	if (l->open == 0)
		free(l);
}

/* A question is pending until its answer was taken: those that the answer
 * asks for belong to the same wait. */
static void
on_answer(
    void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct question q = *(struct question *)arg;
	struct lookup *l = q.lookup;

	free(arg);
	l->open--;
	if (l->freed) {
		if (l->open == 0)
			free(l);
		return;
	}
	if (q.generation != l->generation)
		return;
	l->answer(l->arg, q.type, q.about, result, a, secure);
	if (--l->pending == 0)
		l->ready(l->arg); /* l may be gone */
}

void
lookup_ask(
    struct lookup *l, const char *name, enum rr_type type, unsigned about)
{
	struct question *q = malloc(sizeof(*q));

	if (q == NULL)
		abort();
	*q = (struct question){ l, l->generation, type, about };
	l->pending++;
	l->open++;
	dns_ask(name, type, on_answer, q);
}

void
lookup_begin(struct lookup *l)
{
	l->pending++;
}

void
lookup_end(struct lookup *l)
{
	l->pending--;
}

bool
lookup_waits(const struct lookup *l)
{
	return l->pending > 0;
}

void
lookup_forget(struct lookup *l)
{
	l->generation++;
	l->pending = 0;
}
