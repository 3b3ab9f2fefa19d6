/*
 * domain_keys.c - see domain_keys.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "deliver/domain_keys.h"
#include "lib/log.h"
#include "lib/loop.h"

#define DOMAINS 1024 /* the oldest goes first */
#define HOUR_MS (3600 * 1000)

struct domain {
	char name[256];
	bool known;
	struct msg_dkim_keys_are keys;
	int64_t told_ms; /* that there are none; 0 never */
	UT_hash_handle hh;
};

static struct domain *domains;

static struct domain *
find(const char *name)
{
	struct domain *d;

	HASH_FIND_STR(domains, name, d);
	return d;
}

static struct domain *
find_or_make(const char *name)
{
	struct domain *d = find(name), *oldest = domains;

	if (d != NULL)
		return d;
	if (HASH_COUNT(domains) >= DOMAINS) {
		HASH_DEL(domains, oldest);
		free(oldest);
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	snprintf(d->name, sizeof(d->name), "%s", name);
	HASH_ADD_STR(domains, name, d);
	return d;
}

const struct msg_dkim_keys_are *
domain_keys_find(const char *name)
{
	const struct domain *d = find(name);

	return d != NULL && d->known ? &d->keys : NULL;
}

void
domain_keys_learn(const char *name, const struct msg_dkim_keys_are *keys)
{
	struct domain *d = find_or_make(name);

	d->known = true;
	d->keys = *keys;
}

void
domain_keys_forget(void)
{
	struct domain *d, *next;

	HASH_ITER(hh, domains, d, next)
	d->known = false;
}

void
domain_keys_lack(const char *name)
{
	struct domain *d;
	int64_t now = loop_now_ms();

	if (*name == '\0')
		return;
	d = find_or_make(name);
	if (d->told_ms != 0 && now - d->told_ms < HOUR_MS)
		return;
	d->told_ms = now;
	log_event("dkim.unsigned", "domain=%s", log_quote(name));
}
