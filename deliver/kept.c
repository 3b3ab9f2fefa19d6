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
	if (a->port != b->port || strcmp(a->host, b->host) != 0 ||
	    strcmp(a->user, b->user) != 0)
		return false;
	return *a->user == '\0' || strcmp(a->route, b->route) == 0;
}

struct kept *
kept_find(const struct link_key *key)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (same_key(&k->key, key) &&
		    policy_equal(&k->key.policy, &key->policy))
			break;
	return k;
}

struct kept *
kept_find_route(const struct link_key *key)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (same_key(&k->key, key) && *k->domain == '\0' &&
		    k->key.route_tls == key->route_tls &&
		    k->key.demand == key->demand)
			break;
	return k;
}

struct kept *
kept_find_domain(
    const char *domain, unsigned port, enum route_tls tls, enum demand demand)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (k->key.port == port && k->key.route_tls == tls &&
		    k->key.demand == demand && *k->key.user == '\0' &&
		    strcmp(k->domain, domain) == 0)
			break;
	return k;
}

struct kept *
kept_oldest(void)
{
	return TAILQ_LAST(&list, keeps);
}
