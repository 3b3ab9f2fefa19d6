/*
 * conf_follow.c - numbers that grow with another one: who raises per-day must
 * not run into new-per-day, of which he may never have read.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/conf_parser.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define LEADERS "limits"

struct follower {
	const char *section, *name;
	const char *lead; /* a key of [limits], as LEADERS.KEY */
};

/* A leader stands above those that follow it. */
/* clang-format off */
static const struct follower followers[] = {
	{ "limits", "messages-per-hour", LEADERS ".per-hour" },
	{ "limits", "messages-per-day",  LEADERS ".per-day" },
	{ "limits", "new-per-day",       LEADERS ".per-day" },
	{ "guard",  "new-recipients",    LEADERS ".new-per-day" },
	{ "guard",  "rate",              LEADERS ".per-hour" },
};
/* clang-format on */

uint64_t
conf_grown(uint64_t base, uint64_t lead, uint64_t lead_base)
{
	if (lead <= lead_base || lead_base == 0)
		return base;
	if (base > 0 && lead > UINT64_MAX / base)
		return UINT32_MAX;
	return base * lead / lead_base;
}

static size_t
find(const char *section, const char *name)
{
	size_t i = 0;

	while (strcmp(conf_keys[i].section, section) != 0 ||
	    strcmp(conf_keys[i].name, name) != 0)
		i++;
	return i;
}

static uint32_t *
number(struct conf *c, size_t key)
{
	return (uint32_t *)((char *)c + conf_keys[key].off);
}

static unsigned long
by_default(size_t key)
{
	return strtoul(conf_keys[key].by_default, NULL, 10);
}

void
conf_follow(struct parser *p)
{
	for (size_t i = 0; i < COUNT(followers); i++) {
		const struct follower *f = &followers[i];
		size_t key = find(f->section, f->name);
		size_t lead = find(LEADERS, f->lead + sizeof(LEADERS));
		uint64_t grown;

		if (p->conf->lines[key] != 0)
			continue;
		grown = conf_grown(
		    by_default(key), *number(p->conf, lead), by_default(lead));
		*number(p->conf, key) =
		    grown > UINT32_MAX ? UINT32_MAX : (uint32_t)grown;
	}
}

const char *
conf_raised_with(const struct conf *c, const char *section, const char *name)
{
	for (size_t i = 0; i < COUNT(followers); i++) {
		const struct follower *f = &followers[i];
		size_t key = find(f->section, f->name);
		uint32_t now;

		if (strcmp(f->section, section) != 0 ||
		    strcmp(f->name, name) != 0)
			continue;
		memcpy(&now, (const char *)c + conf_keys[key].off, sizeof(now));
		return now > by_default(key) ? f->lead : NULL;
	}
	return NULL;
}
