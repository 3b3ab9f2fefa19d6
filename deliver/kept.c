/*
 * kept.c - see kept.h.
 *
 * A list is enough: it holds a few hundred at most, and a stream of mail
 * finds its connection at the front.
 */
#include <string.h>

#include "deliver/kept.h"

static TAILQ_HEAD(keeps, kept) list = TAILQ_HEAD_INITIALIZER(list);
static unsigned count;

void
kept_add(struct kept *k)
{
	if (k->on)
		return;
	k->on = true;
	count++;
	TAILQ_INSERT_HEAD(&list, k, entry);
}

void
kept_remove(struct kept *k)
{
	if (!k->on)
		return;
	k->on = false;
	count--;
	TAILQ_REMOVE(&list, k, entry);
}

unsigned
kept_count(void)
{
	return count;
}

static bool
same_key(const struct link_key *a, const struct link_key *b)
{
	if (a->port != b->port || a->tls != b->tls ||
	    strcmp(a->host, b->host) != 0 || strcmp(a->user, b->user) != 0)
		return false;
	return *a->user == '\0' || strcmp(a->route, b->route) == 0;
}

struct kept *
kept_find(const struct link_key *key)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (same_key(&k->key, key))
			break;
	return k;
}

struct kept *
kept_find_domain(const char *domain, unsigned port, enum route_tls tls)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (k->key.port == port && k->key.tls == tls &&
		    *k->key.user == '\0' && strcmp(k->domain, domain) == 0)
			break;
	return k;
}

struct kept *
kept_oldest(void)
{
	return TAILQ_LAST(&list, keeps);
}
