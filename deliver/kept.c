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

void
link_key_init(
    struct link_key *key, const struct conf_route *r, const char host[256])
{
	memset(key, 0, sizeof(*key));
	memcpy(key->host, host, sizeof(key->host));
	key->port = r->port;
	key->route_tls = r->tls;
	memcpy(key->user, r->user, sizeof(key->user));
	memcpy(key->route, r->name, sizeof(key->route));
	key->source4 = r->source4;
	key->source6 = r->source6;
	memcpy(key->helo, r->helo, sizeof(key->helo));
}

static bool
same_source(const struct net_address *a, const struct net_address *b)
{
	return a->len == b->len && memcmp(&a->ss, &b->ss, a->len) == 0;
}

/* They look alike to the server. */
static bool
same_self(const struct link_key *a, const struct link_key *b)
{
	return strcmp(a->user, b->user) == 0 &&
	    (*a->user == '\0' || strcmp(a->route, b->route) == 0) &&
	    same_source(&a->source4, &b->source4) &&
	    same_source(&a->source6, &b->source6) &&
	    strcmp(a->helo, b->helo) == 0;
}

static bool
same_key(const struct link_key *a, const struct link_key *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0 &&
	    same_self(a, b);
}

static bool
same_rules(const struct link_key *a, const struct link_key *b)
{
	return a->route_tls == b->route_tls && a->demand == b->demand;
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
		    same_rules(&k->key, key))
			break;
	return k;
}

struct kept *
kept_find_domain(const struct link_key *key, const char *domain)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (strcmp(k->domain, domain) == 0 &&
		    k->key.port == key->port && same_rules(&k->key, key) &&
		    same_self(&k->key, key))
			break;
	return k;
}

struct kept *
kept_find_berths(const struct link_key *key, const struct berths *berths)
{
	struct kept *k;

	TAILQ_FOREACH (k, &list, entry)
		if (k->berths == berths && k->key.port == key->port &&
		    same_rules(&k->key, key) && same_self(&k->key, key))
			break;
	return k;
}

struct kept *
kept_oldest(void)
{
	return TAILQ_LAST(&list, keeps);
}

struct kept *
kept_oldest_of(const struct berths *berths)
{
	struct kept *k;

	TAILQ_FOREACH_REVERSE(k, &list, keeps, entry)
	if (k->berths == berths)
		break;
	return k;
}
