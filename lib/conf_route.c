/*
 * conf_route.c - [route NAME]: reading one, and telling of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/conf_parser.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* clang-format off */
static const struct { const char *name; enum route_tls tls; } route_tls[] = {
	{ "opportunistic", ROUTE_TLS_MAY },
	{ "required", ROUTE_TLS_REQUIRED },
	{ "verified", ROUTE_TLS_VERIFIED },
	{ "implicit", ROUTE_TLS_IMPLICIT },
	{ "never", ROUTE_TLS_NEVER },
};
static const struct {
	const char *name, *word;
	uint32_t seconds;
} periods[] = {
	{ "s", "second", 1 },
	{ "m", "minute", 60 },
	{ "h", "hour",   3600 },
	{ "d", "day",    86400 },
};
/* clang-format on */

/* "mx", "mx:2525", "host:port", "192.0.2.1:25", "[2001:db8::1]:25". */
static const char *
read_via(void *to, const char *value)
{
	struct conf_route *r = to;
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
read_route_tls(void *to, const char *value)
{
	struct conf_route *r = to;

	for (size_t i = 0; i < COUNT(route_tls); i++)
		if (strcmp(value, route_tls[i].name) == 0) {
			r->tls = route_tls[i].tls;
			return NULL;
		}
	return "write opportunistic, required, verified, implicit or never";
}

/* One address of each family at most. */
static const char *
read_source(void *to, const char *value)
{
	struct conf_route *r = to;
	char list[2 * NET_TEXT + 8], *item, *save = NULL;
	struct net_address a, *side;

	if (conf_put_text(list, sizeof(list), value) != NULL)
		return "write one IPv4 and one IPv6 address at most";
	r->source4.len = r->source6.len = 0;
	for (item = strtok_r(list, ", ", &save); item != NULL;
	     item = strtok_r(NULL, ", ", &save)) {
		if (!net_parse(&a, item, strlen(item), 1) ||
		    net_port((struct sockaddr *)&a.ss) != 1)
			return "write addresses of this machine, without a "
			       "port: 192.0.2.1, 2001:db8::1";
		net_set_port(&a, 0);
		side = a.ss.ss_family == AF_INET ? &r->source4 : &r->source6;
		if (side->len != 0)
			return "write one IPv4 and one IPv6 address at most";
		*side = a;
	}
	return r->source4.len + r->source6.len == 0 ? "no address" : NULL;
}

static const char *
read_helo(void *to, const char *value)
{
	struct conf_route *r = to;

	if (!conf_host_name(value))
		return "write a host name, like mail.example.org";
	return conf_put_text(r->helo, sizeof(r->helo), value);
}

static const char *
read_password_file(void *to, const char *value)
{
	struct conf_route *r = to;

	if (*value != '/')
		return "write an absolute path";
	return conf_put_text(r->password_file, sizeof(r->password_file), value);
}

/* "20/m": so many messages to one destination in a second, minute, hour or
 * day. */
static const char *
read_rate(void *to, const char *value)
{
	struct conf_route *r = to;
	char *rest;
	unsigned long n = strtoul(value, &rest, 10);

	if (*value < '0' || *value > '9' || *rest++ != '/' || n == 0 ||
	    n > 1000000)
		return "write a number of messages and a time, like 20/m";
	for (size_t i = 0; i < COUNT(periods); i++)
		if (strcmp(rest, periods[i].name) == 0 ||
		    strcmp(rest, periods[i].word) == 0) {
			r->rate_jobs = (uint32_t)n;
			r->rate_s = periods[i].seconds;
			return NULL;
		}
	return "the time is one of s, m, h and d";
}

static const char *
read_user(void *to, const char *value)
{
	struct conf_route *r = to;

	return conf_put_text(r->user, sizeof(r->user), value);
}

static const struct conf_setting keys[] = {
	{ "via", read_via },
	{ "tls", read_route_tls },
	{ "user", read_user },
	{ "password-file", read_password_file },
	{ "source", read_source },
	{ "helo", read_helo },
	{ "rate", read_rate },
	{ NULL, NULL },
};

/* The beginning of a name says whose mail it is; none says "to". */
static const char *const kinds[] = {
	[ROUTE_TO] = "",
	[ROUTE_FROM] = "from:",
	[ROUTE_ACCOUNT] = "account:",
};

const char *
conf_route_pattern(const struct conf_route *r)
{
	return r->name + strlen(kinds[r->kind]);
}

/* "example.net" or "*.example.net". */
static bool
is_domains(const char *s)
{
	const char *star = strrchr(s, '*');

	if (*s == '[') /* an address in the place of one (RFC 5321 4.1.3) */
		return s[strlen(s) - 1] == ']';
	return *s != '\0' && strpbrk(s, "@: \t") == NULL &&
	    (star == NULL || (star == s && star[1] == '.' && star[2] != '\0'));
}

static bool
is_account(const char *s)
{
	const char *at = strrchr(s, '@');

	return at != NULL && at != s && at[1] != '\0' &&
	    strpbrk(s, "* \t") == NULL;
}

/* NULL, or what is wrong with the name. */
static const char *
put_name(struct conf_route *r, const char *name)
{
	if (conf_put_text(r->name, sizeof(r->name), name) != NULL)
		return "the name of this [route] is too long";
	conf_lower(r->name);
	r->kind = COUNT(kinds) - 1;
	while (strncmp(r->name, kinds[r->kind], strlen(kinds[r->kind])) != 0)
		r->kind--;
	name = conf_route_pattern(r);
	switch (r->kind) {
	case ROUTE_ACCOUNT:
		return is_account(name)
		    ? NULL
		    : "[route account:NAME]: write the account, like "
		      "account:alice@example.org";
	case ROUTE_FROM:
		return is_domains(name)
		    ? NULL
		    : "[route from:DOMAIN]: write the sender's domain, like "
		      "from:example.org or from:*.example.org";
	case ROUTE_TO:
		break;
	}
	return strcmp(name, "*") == 0 || is_domains(name)
	    ? NULL
	    : "[route NAME]: write the recipients' domain, like example.net, "
	      "*.example.net or *; or from:example.org, or "
	      "account:alice@example.org";
}

static void
check_taken(struct parser *p, const struct conf_route *r)
{
	char text[400];

	for (const struct conf_route *o = p->conf->routes; o < r; o++) {
		if (strcmp(o->name, r->name) != 0)
			continue;
		snprintf(text, sizeof(text), "[route %.300s] is there twice",
		    r->name);
		conf_complain(p, text, "");
		return;
	}
}

static void *
place(struct parser *p)
{
	return &p->conf->routes[p->conf->nroutes - 1];
}

static void
begin(struct parser *p, const char *name)
{
	struct conf_route *r = &p->conf->routes[p->conf->nroutes];
	const char *why;

	p->refused = true;
	if (p->conf->nroutes == CONF_ROUTES) {
		conf_complain(p, "too many routes: 64", "");
		return;
	}
	memset(r, 0, sizeof(*r));
	r->mx = true;
	r->port = 25;
	r->line = p->line;
	if ((why = put_name(r, name)) != NULL) {
		conf_complain(p, why, "");
		return;
	}
	check_taken(p, r);
	p->refused = false;
	p->conf->nroutes++;
}

const struct conf_section conf_section_route = {
	.word = "route",
	.keys = keys,
	.begin = begin,
	.place = place,
};

static void
print_via(const struct conf_route *r, char *out, size_t size)
{
	snprintf(out, size, strchr(r->host, ':') ? "[%s]:%u" : "%s:%u",
	    r->mx ? "mx" : r->host, r->port);
}

void
conf_route_text(const struct conf_route *r, char out[CONF_ROUTE_TEXT])
{
	char via[300];

	print_via(r, via, sizeof(via));
	snprintf(out, CONF_ROUTE_TEXT, "[route %s] via %s", r->name, via);
}

static void
print_source(const struct conf_route *r, char *out, size_t size)
{
	char four[NET_TEXT] = "", six[NET_TEXT] = "";

	if (r->source4.len != 0)
		net_text((const struct sockaddr *)&r->source4.ss, four);
	if (r->source6.len != 0)
		net_text((const struct sockaddr *)&r->source6.ss, six);
	snprintf(out, size, "%s%s%s", four,
	    *four != '\0' && *six != '\0' ? ", " : "", six);
}

void
conf_route_print(const struct conf_route *r, conf_value_fn *cb, void *arg)
{
	char section[CONF_ROUTE_NAME + 8], value[300];

	snprintf(section, sizeof(section), "route %s", r->name);
	print_via(r, value, sizeof(value));
	cb(arg, section, "via", value);
	for (size_t t = 0; t < COUNT(route_tls); t++)
		if (route_tls[t].tls == r->tls)
			cb(arg, section, "tls", route_tls[t].name);
	if (*r->user != '\0') {
		cb(arg, section, "user", r->user);
		cb(arg, section, "password-file", r->password_file);
	}
	print_source(r, value, sizeof(value));
	if (*value != '\0')
		cb(arg, section, "source", value);
	if (*r->helo != '\0')
		cb(arg, section, "helo", r->helo);
	for (size_t i = 0; i < COUNT(periods); i++)
		if (r->rate_jobs > 0 && periods[i].seconds == r->rate_s) {
			snprintf(value, sizeof(value), "%u/%s", r->rate_jobs,
			    periods[i].name);
			cb(arg, section, "rate", value);
		}
}
