/*
 * conf_listen.c - [listen NAME]: reading one, and finding one again.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/conf_key.h"

static const char *
read_tls(struct conf_listen *l, const char *value)
{
	if (strcmp(value, "implicit") == 0)
		l->tls = TLS_MODE_IMPLICIT;
	else if (strcmp(value, "starttls") == 0)
		l->tls = TLS_MODE_STARTTLS;
	else
		return "write implicit or starttls";
	return NULL;
}

static const char *
read_yes_no(bool *yes, const char *value)
{
	*yes = strcasecmp(value, "yes") == 0;
	return *yes || strcasecmp(value, "no") == 0 ? NULL : "write yes or no";
}

static const char *
read_proxies(struct conf_listen *l, const char *value)
{
	char copy[CONF_PATH], *item, *save = NULL;
	const char *why;

	if ((why = conf_put_text(copy, sizeof(copy), value)) != NULL)
		return why;
	l->nproxies = 0;
	for (item = strtok_r(copy, ", ", &save); item != NULL;
	     item = strtok_r(NULL, ", ", &save)) {
		if (l->nproxies == CONF_PROXIES)
			return "16 networks at most";
		why = net_network_parse(&l->proxies[l->nproxies++], item);
		if (why != NULL)
			return why;
	}
	return l->nproxies > 0 ? NULL : "write one network at least";
}

const char *
conf_listen_key(
    struct conf_listen *l, const char *name, const char *value, bool *known)
{
	*known = true;
	if (strcmp(name, "tls") == 0)
		return read_tls(l, value);
	if (strcmp(name, "legacy") == 0)
		return read_yes_no(&l->legacy, value);
	if (strcmp(name, "scram") == 0)
		return read_yes_no(&l->scram, value);
	if (strcmp(name, "client-certificates") == 0)
		return read_yes_no(&l->client_certificates, value);
	if (strcmp(name, "proxy-from") == 0)
		return read_proxies(l, value);
	*known = false;
	return NULL;
}

const struct conf_listen *
conf_listen(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->nlistens; i++)
		if (strcmp(c->listens[i].name, name) == 0)
			return &c->listens[i];
	return NULL;
}

void
conf_listen_print(const struct conf_listen *l,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg)
{
	const struct sockaddr *sa = (const struct sockaddr *)&l->address.ss;
	char section[80], value[CONF_PROXIES * (NET_TEXT + 6)], ip[NET_TEXT];
	char network[NET_TEXT + 4];
	size_t n = 0;

	snprintf(section, sizeof(section), "listen %s", l->name);
	net_text(sa, ip);
	snprintf(value, sizeof(value),
	    sa->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip, net_port(sa));
	cb(arg, section, "address", value);
	cb(arg, section, "tls",
	    l->tls == TLS_MODE_IMPLICIT ? "implicit" : "starttls");
	if (l->scram)
		cb(arg, section, "scram", "yes");
	if (l->client_certificates)
		cb(arg, section, "client-certificates", "yes");
	if (l->legacy)
		cb(arg, section, "legacy", "yes");
	if (l->nproxies == 0)
		return;
	for (size_t i = 0; i < l->nproxies; i++) {
		net_network_text(&l->proxies[i], network);
		n += (size_t)snprintf(value + n, sizeof(value) - n, "%s%s",
		    i > 0 ? ", " : "", network);
	}
	cb(arg, section, "proxy-from", value);
}
