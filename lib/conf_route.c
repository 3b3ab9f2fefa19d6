/*
 * conf_route.c - [route PATTERN]: reading one, and finding the one for a
 * destination.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/conf_key.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* clang-format off */
static const struct { const char *name; enum route_tls tls; } route_tls[] = {
	{ "opportunistic", ROUTE_TLS_MAY },
	{ "required", ROUTE_TLS_REQUIRED },
	{ "verified", ROUTE_TLS_VERIFIED },
	{ "implicit", ROUTE_TLS_IMPLICIT },
	{ "never", ROUTE_TLS_NEVER },
};
/* clang-format on */

/* "mx", "mx:2525", "host:port", "192.0.2.1:25", "[2001:db8::1]:25". */
static const char *
read_via(struct conf_route *r, const char *value)
{
	const char *colon = strrchr(value, ':');
	const char *close = strrchr(value, ']');
	size_t n;
	char *rest;

	if (close != NULL && colon != NULL && colon < close)
		colon = NULL;
	n = colon != NULL ? (size_t)(colon - value) : strlen(value);
	if (colon != NULL) {
		r->port = (unsigned)strtoul(colon + 1, &rest, 10);
		if (colon[1] < '0' || colon[1] > '9' || *rest != '\0' ||
		    r->port == 0 || r->port > 65535)
			return "the port is not one";
	}
	r->mx = n == 2 && strncmp(value, "mx", 2) == 0;
	if (r->mx)
		return NULL;
	if (n >= 2 && value[0] == '[' && value[n - 1] == ']') {
		value++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(r->host))
		return "write mx, or host:port";
	if (colon == NULL)
		return "write the port too, like host:25";
	memcpy(r->host, value, n);
	r->host[n] = '\0';
	return NULL;
}

static const char *
read_route_tls(struct conf_route *r, const char *value)
{
	for (size_t i = 0; i < COUNT(route_tls); i++)
		if (strcmp(value, route_tls[i].name) == 0) {
			r->tls = route_tls[i].tls;
			return NULL;
		}
	return "write opportunistic, required, verified, implicit or never";
}

static const char *
read_password_file(struct conf_route *r, const char *value)
{
	if (*value != '/')
		return "write an absolute path";
	return conf_put_text(r->password_file, sizeof(r->password_file), value);
}

const char *
conf_route_key(
    struct conf_route *r, const char *name, const char *value, bool *known)
{
	*known = true;
	if (strcmp(name, "via") == 0)
		return read_via(r, value);
	if (strcmp(name, "tls") == 0)
		return read_route_tls(r, value);
	if (strcmp(name, "user") == 0)
		return conf_put_text(r->user, sizeof(r->user), value);
	if (strcmp(name, "password-file") == 0)
		return read_password_file(r, value);
	*known = false;
	return NULL;
}

bool
conf_route_pattern(const char *pattern)
{
	const char *star = strrchr(pattern, '*');

	if (*pattern == '\0')
		return false;
	return star == NULL ||
	    (star == pattern && (star[1] == '\0' || star[1] == '.'));
}

const struct conf_route *
conf_route(const struct conf *c, const char *domain)
{
	static const struct conf_route by_mx = {
		.pattern = "*", .mx = true, .port = 25
	};
	const struct conf_route *best = &by_mx;
	size_t most = 0, n, len = strlen(domain);

	for (size_t i = 0; i < c->nroutes; i++) {
		const struct conf_route *r = &c->routes[i];
		const char *suffix = r->pattern + 1; /* ".example.net" */

		n = strlen(suffix);
		if (*r->pattern != '*') {
			if (strcasecmp(r->pattern, domain) == 0)
				return r;
		} else if (n <= len && n + 1 > most &&
		    strcasecmp(domain + len - n, suffix) == 0 && n < len + 1) {
			best = r;
			most = n + 1;
		}
	}
	return best;
}

void
conf_route_print(const struct conf_route *r,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg)
{
	char section[300], value[300];

	snprintf(section, sizeof(section), "route %s", r->pattern);
	snprintf(value, sizeof(value),
	    strchr(r->host, ':') ? "[%s]:%u" : "%s:%u", r->mx ? "mx" : r->host,
	    r->port);
	cb(arg, section, "via", value);
	for (size_t t = 0; t < COUNT(route_tls); t++)
		if (route_tls[t].tls == r->tls)
			cb(arg, section, "tls", route_tls[t].name);
	if (*r->user == '\0')
		return;
	cb(arg, section, "user", r->user);
	cb(arg, section, "password-file", r->password_file);
}
