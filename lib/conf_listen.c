/*
 * conf_listen.c - [listen NAME]: reading one, and finding one again.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/conf_parser.h"

static const char *
read_address(void *to, const char *value)
{
	struct listen_draft *d = to;

	return conf_put_text(d->addresses, sizeof(d->addresses), value);
}

static const char *
read_tls(void *to, const char *value)
{
	struct listen_draft *d = to;
	struct conf_listen *l = &d->listen;

	d->has_tls = true;
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
read_scram(void *to, const char *value)
{
	struct listen_draft *d = to;

	return read_yes_no(&d->listen.scram, value);
}

static const char *
read_client_certificates(void *to, const char *value)
{
	struct listen_draft *d = to;

	return read_yes_no(&d->listen.client_certificates, value);
}

static const char *
read_legacy(void *to, const char *value)
{
	struct listen_draft *d = to;

	return read_yes_no(&d->listen.legacy, value);
}

static const char *
read_proxies(void *to, const char *value)
{
	struct listen_draft *d = to;
	struct conf_listen *l = &d->listen;
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

static const struct conf_setting keys[] = {
	{ "address", read_address },
	{ "tls", read_tls },
	{ "scram", read_scram },
	{ "client-certificates", read_client_certificates },
	{ "legacy", read_legacy },
	{ "proxy-from", read_proxies },
	{ NULL, NULL },
};

static void *
place(struct parser *p)
{
	return &p->draft;
}

static void
begin(struct parser *p, const char *name)
{
	struct conf_listen *l = &p->draft.listen;

	memset(&p->draft, 0, sizeof(p->draft));
	l->line = p->line;
	if (conf_put_text(l->name, sizeof(l->name), name) != NULL)
		conf_complain(p, "the name of this [listen] is too long", "");
	else if (conf_listen(p->conf, l->name) != NULL)
		conf_complain(p, "a [listen] of this name is there already",
		    "give each another name; one may have several addresses");
}

static void
check_taken(struct parser *p, const struct conf_listen *l, const char *item)
{
	const struct sockaddr *a = (const struct sockaddr *)&l->address.ss, *b;
	char text[200];

	for (size_t i = 0; i < p->conf->nlistens; i++) {
		b = (const struct sockaddr *)&p->conf->listens[i].address.ss;
		if (!net_equal(a, b) || net_port(a) != net_port(b))
			continue;
		snprintf(
		    text, sizeof(text), "address: %.100s is there twice", item);
		conf_complain_at(p, l->line, text, "");
		return;
	}
}

/* What is right on one port only. */
static void
check_port(struct parser *p, const struct conf_listen *l)
{
	unsigned port = net_port((const struct sockaddr *)&l->address.ss);

	if (l->legacy && (port == 465 || port == 587))
		conf_complain_at(p, l->line,
		    "legacy needs a port of its own, not 465 or 587",
		    "add it to another [listen] with `address = 0.0.0.0:2465`, "
		    "and name that port to the old devices");
}

static void
add_address(struct parser *p, const char *item)
{
	struct conf_listen *l = &p->conf->listens[p->conf->nlistens];
	unsigned port;
	char text[200];

	*l = p->draft.listen;
	port = l->tls == TLS_MODE_IMPLICIT ? 465 : 587;
	if (!net_parse(&l->address, item, strlen(item), port)) {
		snprintf(text, sizeof(text),
		    "address: \"%.100s\": write 192.0.2.1:465 or "
		    "[2001:db8::1]:465",
		    item);
		conf_complain_at(p, l->line, text, "");
		return;
	}
	check_taken(p, l, item);
	check_port(p, l);
	p->conf->nlistens++;
}

/* Each of its addresses is a row of conf->listens. */
static void
end(struct parser *p)
{
	struct listen_draft *d = &p->draft;
	int line = d->listen.line;
	char *item, *save = NULL;

	if (!d->has_tls)
		conf_complain_at(p, line, "[listen] needs a tls key",
		    "add `tls = implicit` (port 465) or `tls = starttls` "
		    "(port 587)");
	if (*d->addresses == '\0')
		conf_complain_at(p, line, "[listen] needs an address key",
		    "add `address = 0.0.0.0:465, [::]:465`");
	for (item = strtok_r(d->addresses, ", ", &save); item != NULL;
	     item = strtok_r(NULL, ", ", &save)) {
		if (p->conf->nlistens == CONF_LISTENS) {
			conf_complain_at(p, line, "too many addresses: 16", "");
			return;
		}
		add_address(p, item);
	}
}

const struct conf_section conf_section_listen = {
	.word = "listen",
	.keys = keys,
	.begin = begin,
	.place = place,
	.end = end,
};

const struct conf_listen *
conf_listen(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->nlistens; i++)
		if (strcmp(c->listens[i].name, name) == 0)
			return &c->listens[i];
	return NULL;
}

void
conf_listen_print(const struct conf_listen *l, conf_value_fn *cb, void *arg)
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
