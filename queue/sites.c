/*
 * sites.c - see sites.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "queue/sites.h"
#include "queue/t_due.h"

#define SITES_MOST 20000
#define OLD_MS     (60 * 60 * 1000)

struct entry {
	uint64_t domain; /* its hash */
	char *site;
	int64_t learned;
	TAILQ_ENTRY(entry) link;
	UT_hash_handle hh;
};

static struct entry *entries;
static TAILQ_HEAD(, entry) by_age = TAILQ_HEAD_INITIALIZER(by_age);

static struct entry *
find(const char *domain)
{
	uint64_t hash = hash64(domain);
	struct entry *e;

	HASH_FIND(hh, entries, &hash, sizeof(hash), e);
	return e;
}

static void
drop(struct entry *e)
{
	HASH_DEL(entries, e);
	TAILQ_REMOVE(&by_age, e, link);
	free(e->site);
	free(e);
}

const char *
sites_find(const char *domain, int64_t now_ms)
{
	struct entry *e = find(domain);

	return e != NULL && now_ms - e->learned < OLD_MS ? e->site : NULL;
}

void
sites_learn(const char *domain, const char *site, int64_t now_ms)
{
	struct entry *e = find(domain);

	if (e != NULL && strcmp(e->site, site) == 0) {
		e->learned = now_ms;
		TAILQ_REMOVE(&by_age, e, link);
		TAILQ_INSERT_TAIL(&by_age, e, link);
		return;
	}
	if (e != NULL)
		drop(e);
	else if (HASH_COUNT(entries) >= SITES_MOST)
		drop(TAILQ_FIRST(&by_age));
	if ((e = malloc(sizeof(*e))) == NULL ||
	    (e->site = strdup(site)) == NULL)
		abort();
	e->domain = hash64(domain);
	e->learned = now_ms;
	HASH_ADD(hh, entries, domain, sizeof(e->domain), e);
	TAILQ_INSERT_TAIL(&by_age, e, link);
}

void
sites_forget(const char *domain)
{
	struct entry *e = find(domain);

	if (e != NULL)
		drop(e);
}
