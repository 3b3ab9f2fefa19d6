/*
 * conf_choose.c - what a configuration means for a mail, and for a machine.
 */
#include <string.h>
#include <strings.h>

#include "lib/conf_key.h"

/* How specific a pattern is to a domain: 0 not at all, 300 it is it. */
static unsigned
fit(const char *pattern, const char *domain)
{
	size_t n, len = strlen(domain);

	if (*pattern != '*')
		return strcasecmp(pattern, domain) == 0 ? 300 : 0;
	n = strlen(++pattern); /* ".example.net" */
	if (n == 0)
		return 1;
	if (n >= len || strcasecmp(domain + len - n, pattern) != 0)
		return 0;
	return n < 298 ? (unsigned)n + 1 : 299;
}

/* How specific a route is to a mail; 0: it is not its route. */
static unsigned
weigh(const struct conf_route *r, const struct conf_mail *m)
{
	const char *at;
	unsigned n;

	switch (r->kind) {
	case ROUTE_TO:
		n = fit(conf_route_pattern(r), m->domain);
		return n > 1 ? 3000 + n : n;
	case ROUTE_ACCOUNT:
		return strcasecmp(conf_route_pattern(r), m->account) == 0 ? 2000
									  : 0;
	case ROUTE_FROM:
		at = strrchr(m->sender, '@');
		if (*m->account == '\0' || at == NULL)
			return 0;
		n = fit(conf_route_pattern(r), at + 1);
		return n > 0 ? 1000 + n : 0;
	}
	return 0;
}

const struct conf_route *
conf_route(const struct conf *c, const struct conf_mail *m)
{
	static const struct conf_route by_mx = {
		.name = "*", .mx = true, .port = 25
	};
	const struct conf_route *best = &by_mx;
	unsigned most = 0, n;

	for (size_t i = 0; i < c->nroutes; i++)
		if ((n = weigh(&c->routes[i], m)) > most) {
			best = &c->routes[i];
			most = n;
		}
	return best;
}

bool
conf_route_by_sender(const struct conf *c)
{
	for (size_t i = 0; i < c->nroutes; i++)
		if (c->routes[i].kind != ROUTE_TO)
			return true;
	return false;
}

unsigned
conf_workers(const struct conf *c, long processors)
{
	long half = (processors + 1) / 2;

	if (c->workers != 0)
		return c->workers;
	return half < 1           ? 1
	    : half > CONF_WORKERS ? CONF_WORKERS
				  : (unsigned)half;
}
