/*
 * conf_follow.c - numbers that grow with another one: who raises per-day must
 * not run into new-per-day, of which he may never have read.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/conf_parser.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct follower {
	const char *section, *name;
	const char *lead_section, *lead;
};

/* A leader stands above those that follow it. */
/* clang-format off */
static const struct follower followers[] = {
	{ "limits", "messages-per-hour", "limits", "per-hour" },
	{ "limits", "messages-per-day",  "limits", "per-day" },
	{ "limits", "new-per-day",       "limits", "per-day" },
	{ "guard",  "new-recipients",    "limits", "new-per-day" },
	{ "guard",  "rate",              "limits", "per-hour" },
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

void
conf_follow(struct parser *p)
{
	for (size_t i = 0; i < COUNT(followers); i++) {
		const struct follower *f = &followers[i];
		size_t key = find(f->section, f->name);
		size_t lead = find(f->lead_section, f->lead);
		uint64_t grown;

		if (p->seen[key])
			continue;
		grown = conf_grown(strtoul(conf_keys[key].by_default, NULL, 10),
		    *number(p->conf, lead),
		    strtoul(conf_keys[lead].by_default, NULL, 10));
		*number(p->conf, key) =
		    grown > UINT32_MAX ? UINT32_MAX : (uint32_t)grown;
	}
}
