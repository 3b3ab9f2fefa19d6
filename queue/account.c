/*
 * account.c - see account.h.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/account.h"

static struct account *accounts; /* by hash */
static unsigned nsuspended;

struct account *
account_find(uint64_t hash)
{
	struct account *a;

	HASH_FIND(hh, accounts, &hash, sizeof(hash), a);
	return a;
}

struct account *
account_for(const char *name)
{
	uint64_t hash = hash64(name);
	struct account *a = account_find(hash);

	if (a != NULL)
		return a;
	if ((a = calloc(1, sizeof(*a))) == NULL ||
	    (a->name = strdup(name)) == NULL)
		abort();
	a->hash = hash;
	TAILQ_INIT(&a->runnable);
	HASH_ADD(hh, accounts, hash, sizeof(a->hash), a);
	return a;
}

void
account_release(struct account *a)
{
	if (a->flows > 0 || a->suspended || a->skip.set)
		return;
	HASH_DEL(accounts, a);
	free(a->name);
	free(a);
}

void
account_mark(struct account *a, bool suspended)
{
	if (a->suspended != suspended)
		nsuspended += suspended ? 1 : -1u;
	a->suspended = suspended;
}

void
account_each_untold(unsigned told, void (*cb)(struct account *))
{
	struct account *a, *next;

	HASH_ITER(hh, accounts, a, next)
	{
		if (a->suspended && a->told != told)
			cb(a);
	}
}

unsigned
account_count_suspended(void)
{
	return nsuspended;
}
