/*
 * alias.c - see alias.h.
 */
#include <stdlib.h>

#include "queue/alias.h"
#include "queue/dest.h"
#include "queue/settings.h"

#define ALIASES_MOST 1000

struct alias {
	uint64_t hash;
	struct dest *dest; /* NULL: not always to the same */
	const struct conf_route *route;
	SLIST_ENTRY(alias) link; /* of its destination, or of torn */
	UT_hash_handle hh;
};

static struct alias *aliases;
static SLIST_HEAD(, alias) torn = SLIST_HEAD_INITIALIZER(torn);
static unsigned ntorn;

void
alias_drop_torn(void)
{
	struct alias *a;

	while ((a = SLIST_FIRST(&torn)) != NULL) {
		SLIST_REMOVE_HEAD(&torn, link);
		HASH_DEL(aliases, a);
		free(a);
	}
	ntorn = 0;
}

void
alias_drop(struct dest *d)
{
	struct alias *a;

	while ((a = SLIST_FIRST(&d->aliases)) != NULL) {
		SLIST_REMOVE_HEAD(&d->aliases, link);
		HASH_DEL(aliases, a);
		free(a);
	}
	d->naliases = 0;
}

/* By what a row is known: where it goes may depend on whose it is. */
static uint64_t
key_of(uint64_t account, uint64_t domain)
{
	return conf_route_by_sender(settings)
	    ? domain ^ (account * 0x9e3779b97f4a7c15)
	    : domain;
}

static void
detach(struct alias *a)
{
	SLIST_REMOVE(&a->dest->aliases, a, alias, link);
	a->dest->naliases--;
	a->dest = NULL;
}

static void
attach(struct alias *a, struct dest *d)
{
	a->dest = d;
	SLIST_INSERT_HEAD(&d->aliases, a, link);
	d->naliases++;
}

/* One account, one domain, and two ways, by different senders: the row alone
 * does not tell. */
static void
tear(struct alias *a)
{
	detach(a);
	if (ntorn >= ALIASES_MOST)
		alias_drop_torn();
	SLIST_INSERT_HEAD(&torn, a, link);
	ntorn++;
}

void
alias_note(
    struct dest *d, const struct conf_route *r, const struct conf_mail *m)
{
	uint64_t hash = key_of(hash64(m->account), hash64(m->domain));
	struct alias *a;

	HASH_FIND(hh, aliases, &hash, sizeof(hash), a);
	if (a != NULL && (a->dest == d || a->dest == NULL))
		return;
	if (a != NULL && a->route != r) {
		tear(a);
		return;
	}
	if (d->naliases >= ALIASES_MOST)
		alias_drop(d);
	if (a != NULL) {
		detach(a); /* more is known of its site */
	} else {
		if ((a = malloc(sizeof(*a))) == NULL)
			abort();
		a->hash = hash;
		a->route = r;
		HASH_ADD(hh, aliases, hash, sizeof(a->hash), a);
	}
	attach(a, d);
}

struct dest *
alias_find(const struct due_row *row)
{
	uint64_t hash = key_of(row->account, row->domain);
	struct alias *a;

	HASH_FIND(hh, aliases, &hash, sizeof(hash), a);
	return a ? a->dest : NULL;
}
