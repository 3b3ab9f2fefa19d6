/*
 * dest_ask.c - destinations whose site is not known: deliver is asked about
 * their domains, some at a time.
 */
#include <stdio.h>
#include <string.h>

#include "lib/loop.h"
#include "queue/dest_parts.h"
#include "queue/sites.h"

#define ASKED_MOST 256
#define ASKED_MS   5000

static TAILQ_HEAD(, dest) unasked = TAILQ_HEAD_INITIALIZER(unasked);
static TAILQ_HEAD(, dest) asked = TAILQ_HEAD_INITIALIZER(asked);
static unsigned nasked;

void
dest_line_up(struct dest *d)
{
	d->site = SITE_IN_LINE;
	TAILQ_INSERT_TAIL(&unasked, d, asking);
}

/* Of a destination that is a domain. */
static size_t
domain_len(const struct dest *d)
{
	return strcspn(d->name, " ");
}

bool
dest_ask(char domain[256])
{
	struct dest *d = TAILQ_FIRST(&unasked);

	if (d == NULL || nasked >= ASKED_MOST)
		return false;
	TAILQ_REMOVE(&unasked, d, asking);
	TAILQ_INSERT_TAIL(&asked, d, asking);
	d->site = SITE_ASKED;
	nasked++;
	dest_set_alarm(d, loop_now_ms() + ASKED_MS);
	snprintf(domain, 256, "%.*s", (int)domain_len(d), d->name);
	return true;
}

void
dest_end_asking(struct dest *d)
{
	if (d->site == SITE_IN_LINE)
		TAILQ_REMOVE(&unasked, d, asking);
	if (d->site == SITE_ASKED) {
		TAILQ_REMOVE(&asked, d, asking);
		nasked--;
		alarm_clear(&d->alarm);
		/* It may have failed meanwhile, by one that took off before. */
		if (dest_waiting(d))
			dest_set_alarm(d, d->pace.retry_at);
	}
	d->site = SITE_KNOWN;
}

void
dest_site_is(
    const char *domain, const char *site, void (*answered)(struct dest *))
{
	size_t n = strlen(domain);
	struct dest *d, *next;

	if (*site != '\0')
		sites_learn(domain, site, loop_now_ms());
	for (d = answered ? TAILQ_FIRST(&asked) : NULL; d != NULL; d = next) {
		next = TAILQ_NEXT(d, asking);
		if (domain_len(d) != n || memcmp(d->name, domain, n) != 0)
			continue;
		dest_end_asking(d);
		answered(d);
	}
}

void
dest_ask_again(void)
{
	struct dest *d;

	while ((d = TAILQ_FIRST(&asked)) != NULL) {
		dest_end_asking(d);
		dest_line_up(d);
	}
}
