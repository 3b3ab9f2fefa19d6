/*
 * conf.c - see conf.h.
 *
 * inih splits the lines; the reader that feeds it counts them, so that each
 * error names its own, and looks at each for what inih would not tell.
 */
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/conf.h"
#include "lib/conf_key.h"
#include "lib/suggest.h"

#define TEXT_MAX 65536

struct parser {
	const char *text, *end;
	int line;
	char section[320]; /* inih would cut it at 50 bytes */
	struct conf *conf;
	conf_error_fn *error;
	void *arg;
	int errors;
	struct conf_listen listen; /* the [listen NAME] being read */
	bool in_listen, has_address, has_tls;
	bool in_tls;   /* a [tls NAME] that was not refused */
	bool in_route; /* the same of a [route NAME] */
	char addresses[1024];
	bool seen[64]; /* keys[] rows */
};

/* Keys of the sections that have a name. */
static const char *const listen_keys[] = { "address", "tls", "scram",
	"client-certificates", "legacy", "proxy-from", NULL };
static const char *const tls_keys[] = { "certificate", "key", NULL };
static const char *const screen_keys[] = { "rule", NULL };
static const char *const route_keys[] = { "via", "tls", "user", "password-file",
	"source", "helo", "rate", NULL };

static void
complain_at(struct parser *p, int line, const char *text, const char *hint)
{
	p->errors++;
	p->error(p->arg, line, text, hint);
}

static void
complain(struct parser *p, const char *text, const char *hint)
{
	complain_at(p, p->line, text, hint);
}

struct nearest {
	struct suggest name;
	const char *section; /* "": none, or the one at hand */
};

static void
consider(struct nearest *n, const char *section, const char *name)
{
	const char *was = n->name.best;

	suggest_offer(&n->name, name);
	if (n->name.best != was)
		n->section = section;
}

static void
unknown_key(struct parser *p, const char *section, const char *name)
{
	struct nearest n = { .section = "" };
	char text[512], hint[256] = "";
	bool listen = strncmp(section, "listen", 6) == 0;
	bool route = strncmp(section, "route", 5) == 0;
	bool screen = strcmp(section, "screen") == 0;
	bool tls = strncmp(section, "tls ", 4) == 0, elsewhere;

	suggest_init(&n.name, name);
	for (const char *const *k = listen_keys; listen && *k != NULL; k++)
		consider(&n, "", *k);
	for (const char *const *k = screen_keys; screen && *k != NULL; k++)
		consider(&n, "", *k);
	for (const char *const *k = route_keys; route && *k != NULL; k++)
		consider(&n, "", *k);
	for (const char *const *k = tls_keys; tls && *k != NULL; k++)
		consider(&n, "", *k);
	for (size_t i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			consider(&n, "", conf_keys[i].name);
	elsewhere = n.name.best == NULL;
	for (size_t i = 0; i < conf_nkeys && elsewhere; i++)
		consider(&n, conf_keys[i].section, conf_keys[i].name);
	if (*section != '\0')
		snprintf(text, sizeof(text),
		    "unknown key \"%.100s\" in [%.100s]", name, section);
	else
		snprintf(text, sizeof(text), "unknown key \"%.100s\"", name);
	if (n.name.best != NULL && *n.section != '\0')
		snprintf(hint, sizeof(hint), "did you mean \"[%s] %s\"?",
		    n.section, n.name.best);
	else if (n.name.best != NULL && strcmp(n.name.best, name) == 0)
		snprintf(hint, sizeof(hint), "write it above all [sections]");
	else if (n.name.best != NULL)
		snprintf(
		    hint, sizeof(hint), "did you mean \"%s\"?", n.name.best);
	complain(p, text, hint);
}

static void
bad_value(
    struct parser *p, const char *name, const char *value, const char *why)
{
	char text[512];

	snprintf(text, sizeof(text), "%.64s: \"%.200s\": %s", name, value, why);
	complain(p, text, "");
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
		complain_at(p, l->line, text, "");
		return;
	}
}

/* What is right on one port only. */
static void
check_port(struct parser *p, const struct conf_listen *l)
{
	unsigned port = net_port((const struct sockaddr *)&l->address.ss);

	if (l->legacy && (port == 465 || port == 587))
		complain_at(p, l->line,
		    "legacy needs a port of its own, not 465 or 587",
		    "add it to another [listen] with `address = 0.0.0.0:2465`, "
		    "and name that port to the old devices");
}

/* A [listen NAME] ends: each of its addresses is a row of conf->listens. */
static void
end_listen(struct parser *p)
{
	struct conf_listen *l = &p->listen, *to;
	char *item, *save = NULL;
	unsigned port = l->tls == TLS_MODE_IMPLICIT ? 465 : 587;

	if (!p->in_listen)
		return;
	p->in_listen = false;
	if (!p->has_tls)
		complain_at(p, l->line, "[listen] needs a tls key",
		    "add `tls = implicit` (port 465) or `tls = starttls` "
		    "(port 587)");
	if (!p->has_address) {
		complain_at(p, l->line, "[listen] needs an address key",
		    "add `address = 0.0.0.0:465, [::]:465`");
		return;
	}
	for (item = strtok_r(p->addresses, ", ", &save); item != NULL;
	     item = strtok_r(NULL, ", ", &save)) {
		if (p->conf->nlistens == CONF_LISTENS) {
			complain_at(p, l->line, "too many addresses: 16", "");
			return;
		}
		to = &p->conf->listens[p->conf->nlistens];
		*to = *l;
		if (!net_parse(&to->address, item, strlen(item), port)) {
			char text[200];

			snprintf(text, sizeof(text),
			    "address: \"%.100s\": write 192.0.2.1:465 or "
			    "[2001:db8::1]:465",
			    item);
			complain_at(p, l->line, text, "");
			continue;
		}
		check_taken(p, to, item);
		check_port(p, to);
		p->conf->nlistens++;
	}
}

static void
begin_listen(struct parser *p, const char *name)
{
	end_listen(p);
	memset(&p->listen, 0, sizeof(p->listen));
	p->in_listen = true;
	p->has_address = p->has_tls = false;
	p->listen.line = p->line;
	if (conf_put_text(p->listen.name, sizeof(p->listen.name), name) != NULL)
		complain(p, "the name of this [listen] is too long", "");
	else if (conf_listen(p->conf, p->listen.name) != NULL)
		complain(p, "a [listen] of this name is there already",
		    "give each another name; one may have several addresses");
}

static void
listen_key(struct parser *p, const char *name, const char *value)
{
	const char *why = NULL;
	bool known = true;

	if (strcmp(name, "address") == 0) {
		p->has_address = true;
		why = conf_put_text(p->addresses, sizeof(p->addresses), value);
	} else {
		why = conf_listen_key(&p->listen, name, value, &known);
		if (strcmp(name, "tls") == 0)
			p->has_tls = true;
	}
	if (!known)
		unknown_key(p, "listen", name);
	else if (why != NULL)
		bad_value(p, name, value, why);
}

static struct conf_tls *
last_tls(struct parser *p)
{
	return &p->conf->tls[p->conf->ntls - 1];
}

static void
begin_tls(struct parser *p, const char *name)
{
	struct conf_tls *t;

	p->in_tls = false;
	if (p->conf->ntls == CONF_TLS) {
		complain(
		    p, "too many certificates: 64 besides that of [tls]", "");
		return;
	}
	t = &p->conf->tls[p->conf->ntls];
	memset(t, 0, sizeof(*t));
	t->line = p->line;
	if (conf_put_text(t->name, sizeof(t->name), name) != NULL ||
	    !conf_tls_name(t->name)) {
		complain(p,
		    "[tls NAME]: write the host name that clients connect to, "
		    "like mail.example.net",
		    "");
		return;
	}
	for (size_t i = 1; i < p->conf->ntls; i++)
		if (strcmp(p->conf->tls[i].name, t->name) == 0)
			complain(
			    p, "a [tls] of this name is there already", "");
	p->in_tls = true;
	p->conf->ntls++;
}

static void
tls_key(struct parser *p, const char *name, const char *value)
{
	const char *why;
	bool known;

	if (!p->in_tls)
		return; /* its header was refused */
	why = conf_tls_key(last_tls(p), name, value, &known);
	if (!known && (strcmp(name, "ca-file") == 0))
		complain(p, "ca-file is for all certificates",
		    "write it into [tls]");
	else if (!known)
		unknown_key(p, "tls ", name);
	else if (why != NULL)
		bad_value(p, name, value, why);
}

static struct conf_route *
last_route(struct parser *p)
{
	return &p->conf->routes[p->conf->nroutes - 1];
}

static void
check_name(struct parser *p, const struct conf_route *r)
{
	char text[400];

	for (const struct conf_route *o = p->conf->routes; o < r; o++) {
		if (strcmp(o->name, r->name) != 0)
			continue;
		snprintf(text, sizeof(text), "[route %.300s] is there twice",
		    r->name);
		complain(p, text, "");
		return;
	}
}

static void
begin_route(struct parser *p, const char *name)
{
	struct conf_route *r;
	const char *why;

	p->in_route = false;
	if (p->conf->nroutes == CONF_ROUTES) {
		complain(p, "too many routes: 64", "");
		return;
	}
	r = &p->conf->routes[p->conf->nroutes];
	memset(r, 0, sizeof(*r));
	r->mx = true;
	r->port = 25;
	r->line = p->line;
	if ((why = conf_route_name(r, name)) != NULL) {
		complain(p, why, "");
		return;
	}
	check_name(p, r);
	p->in_route = true;
	p->conf->nroutes++;
}

static void
route_key(struct parser *p, const char *name, const char *value)
{
	const char *why;
	bool known;

	if (!p->in_route)
		return; /* its header was refused */
	why = conf_route_key(last_route(p), name, value, &known);
	if (!known)
		unknown_key(p, "route", name);
	else if (why != NULL)
		bad_value(p, name, value, why);
}

static void
screen_key(struct parser *p, const char *name, const char *value)
{
	struct screen_rule *r = &p->conf->rules[p->conf->nrules];
	const struct screen_rule *before;
	const char *why;
	char text[200];

	if (strcmp(name, "rule") != 0) {
		unknown_key(p, "screen", name);
		return;
	}
	if (p->conf->nrules == SCREEN_RULES) {
		complain(p, "too many rules: 256",
		    "networks in one block can be one rule, like 192.0.2.0/24");
		return;
	}
	memset(r, 0, sizeof(*r));
	r->line = p->line;
	if ((why = conf_screen_rule(r, value)) != NULL) {
		bad_value(p, name, value, why);
		return;
	}
	before = conf_screen_shadow(p->conf, p->conf->nrules);
	p->conf->nrules++;
	if (before == NULL)
		return;
	snprintf(text, sizeof(text),
	    "this rule never acts: all that it is about is settled by the rule "
	    "in line %d",
	    before->line);
	complain(p, text, "move it above that one, or remove it");
}

static bool
known_section(const char *section)
{
	if (strcmp(section, "screen") == 0)
		return true;
	for (size_t i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			return true;
	return false;
}

/* A [section] line, before inih sees it. */
static void
begin_section(struct parser *p, const char *name)
{
	char text[400];

	end_listen(p);
	snprintf(p->section, sizeof(p->section), "%s", name);
	if (strncmp(name, "listen ", 7) == 0) {
		begin_listen(p, name + 7 + strspn(name + 7, " \t"));
	} else if (strncmp(name, "tls ", 4) == 0) {
		begin_tls(p, name + 4 + strspn(name + 4, " \t"));
	} else if (strncmp(name, "route ", 6) == 0) {
		begin_route(p, name + 6 + strspn(name + 6, " \t"));
	} else if (!known_section(name) || *name == '\0') {
		snprintf(text, sizeof(text), "unknown section [%.200s]", name);
		complain(p, text,
		    "sections: tls, tls NAME, listen NAME, limits, screen, "
		    "guard, queue, dns, "
		    "route NAME, paths, users, smtpd, log");
		/* One complaint is enough for all that stands in it. */
		snprintf(p->section, sizeof(p->section), "?");
	}
}

static int
on_key(void *arg, const char *section, const char *name, const char *value)
{
	struct parser *p = arg;
	const char *why;

	(void)section;
	if (strcmp(p->section, "?") == 0)
		return 1;
	if (strncmp(p->section, "listen ", 7) == 0) {
		listen_key(p, name, value);
		return 1;
	}
	if (strcmp(p->section, "screen") == 0) {
		screen_key(p, name, value);
		return 1;
	}
	if (strncmp(p->section, "tls ", 4) == 0) {
		tls_key(p, name, value);
		return 1;
	}
	if (strncmp(p->section, "route ", 6) == 0) {
		route_key(p, name, value);
		return 1;
	}
	for (size_t i = 0; i < conf_nkeys; i++) {
		if (strcmp(conf_keys[i].section, p->section) != 0 ||
		    strcmp(conf_keys[i].name, name) != 0)
			continue;
		if (p->seen[i])
			bad_value(p, name, value, "set twice");
		p->seen[i] = true;
		if ((why = conf_keys[i].read(p->conf, &conf_keys[i], value)) !=
		    NULL)
			bad_value(p, name, value, why);
		return 1;
	}
	unknown_key(p, p->section, name);
	return 1;
}

/* Look at a line as inih will, for what inih does not tell. */
static void
inspect(struct parser *p, const char *line)
{
	const char *close;
	char name[320];
	size_t n;

	if (*line == '\0' || *line == '#' || *line == ';')
		return;
	if (*line != '[') {
		if (strpbrk(line, "=:") == NULL)
			complain(
			    p, "a line is `key = value` or `[section]`", "");
		return;
	}
	close = strrchr(line, ']');
	if (close == NULL) {
		complain(p, "`]` is missing", "");
		return;
	}
	n = (size_t)(close - line - 1);
	if (n >= sizeof(name)) {
		complain(p, "the section's name is too long", "");
		return;
	}
	memcpy(name, line + 1, n);
	name[n] = '\0';
	begin_section(p, name);
}

/* inih's fgets(): the next line, its indentation removed, because inih takes
 * an indented line for the last one's continuation. */
static char *
read_line(char *out, int size, void *stream)
{
	struct parser *p = stream;
	const char *nl;
	size_t n;

	if (p->text >= p->end)
		return NULL;
	p->line++;
	nl = memchr(p->text, '\n', (size_t)(p->end - p->text));
	n = (size_t)((nl != NULL ? nl : p->end) - p->text);
	while (n > 0 && (*p->text == ' ' || *p->text == '\t')) {
		p->text++;
		n--;
	}
	if (n + 2 > (size_t)size) {
		complain(p, "the line is too long", "");
		snprintf(out, (size_t)size, "\n");
	} else if (memchr(p->text, 0, n) != NULL) {
		complain(p, "a NUL byte in the line", "");
		snprintf(out, (size_t)size, "\n");
	} else {
		memcpy(out, p->text, n);
		if (n > 0 && out[n - 1] == '\r')
			n--;
		out[n] = '\0';
		inspect(p, out);
		out[n] = '\n';
		out[n + 1] = '\0';
	}
	p->text = nl != NULL ? nl + 1 : p->end;
	return out;
}

/* Nothing configured: the pair that `postern init` makes. */
static void
name_own_pair(struct parser *p, struct conf *c)
{
	if (strlen(c->state) > CONF_PATH - 32) {
		complain_at(p, 0, "paths.state is too long", "");
		return;
	}
	snprintf(c->tls[0].certificate, CONF_PATH, "%.*s/tls/cert.pem",
	    CONF_PATH - 32, c->state);
	snprintf(c->tls[0].key, CONF_PATH, "%.*s/tls/key.pem", CONF_PATH - 32,
	    c->state);
}

/*
 * Our own resolver validates.  A server that was named is believed, unless an
 * anchor was named with it: many cannot pass on what validation needs.
 */
static void
choose_anchor(struct conf *c)
{
	if (*c->trust_anchor == '\0' && *c->dns_server == '\0')
		snprintf(c->trust_anchor, sizeof(c->trust_anchor), "%s",
		    CONF_ROOT_KEY);
}

static void
check_whole(struct parser *p)
{
	struct conf *c = p->conf;

	if (*c->hostname == '\0')
		complain_at(p, 0, "hostname is missing",
		    "add `hostname = mail.example.org` at the top");
	if ((*c->tls[0].certificate == '\0') != (*c->tls[0].key == '\0'))
		complain_at(p, 0, "[tls] needs certificate and key, or neither",
		    "without both, `postern init` makes a self-signed pair");
	else if (*c->tls[0].key == '\0')
		name_own_pair(p, c);
	for (size_t i = 1; i < c->ntls; i++)
		if (*c->tls[i].certificate == '\0' || *c->tls[i].key == '\0')
			complain_at(p, c->tls[i].line,
			    "[tls NAME] needs certificate and key",
			    "name both files");
	choose_anchor(c);
	if (c->nlistens == 0 && p->errors == 0)
		complain_at(p, 0, "no [listen NAME] section",
		    "add [listen submissions] with `address = 0.0.0.0:465` "
		    "and `tls = implicit`");
	if (c->recipients == 0 || c->recipients > 10000)
		complain_at(p, 0, "limits.recipients: 1 to 10000", "");
	if (c->workers > 64)
		complain_at(p, 0, "smtpd.workers: 64 at most", "");
	if (c->per_destination == 0 || c->in_flight == 0)
		complain_at(p, 0,
		    "queue.per-destination and queue.in-flight "
		    "must not be 0",
		    "");
	for (size_t i = 0; i < c->nroutes; i++) {
		struct conf_route *r = &c->routes[i];

		if ((*r->user != '\0') != (*r->password_file != '\0'))
			complain_at(p, r->line,
			    "a route needs user and "
			    "password-file, or neither",
			    "");
		if (*r->user != '\0' && r->mx)
			complain_at(p, r->line,
			    "a route with a user needs "
			    "`via = host:port`",
			    "");
	}
}

static void
set_defaults(struct parser *p)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		if (conf_keys[i].by_default != NULL)
			conf_keys[i].read(
			    p->conf, &conf_keys[i], conf_keys[i].by_default);
}

struct conf *
conf_parse(const char *file, const char *text, size_t len, conf_error_fn *error,
    void *arg)
{
	struct parser *p = calloc(1, sizeof(*p));
	struct conf *c = calloc(1, sizeof(*c));
	int errors;

	if (p == NULL || c == NULL)
		abort();
	p->conf = c;
	c->ntls = 1;
	p->text = text;
	p->end = text + len;
	p->error = error;
	p->arg = arg;
	snprintf(c->file, sizeof(c->file), "%s", file);
	set_defaults(p);
	if (len > TEXT_MAX)
		complain_at(p, 0, "the file is over 64 KiB", "");
	else
		ini_parse_stream(read_line, p, on_key, p);
	end_listen(p);
	check_whole(p);
	errors = p->errors;
	free(p);
	if (errors > 0) {
		free(c);
		return NULL;
	}
	return c;
}

void
conf_free(struct conf *c)
{
	free(c);
}

void
conf_each(const struct conf *c,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg)
{
	char value[CONF_PATH];

	for (size_t i = 0; i < conf_nkeys; i++) {
		conf_key_print(c, &conf_keys[i], value, sizeof(value));
		cb(arg, conf_keys[i].section, conf_keys[i].name, value);
	}
	for (size_t i = 1; i < c->ntls; i++)
		conf_tls_print(&c->tls[i], cb, arg);
	for (size_t i = 0; i < c->nlistens; i++)
		conf_listen_print(&c->listens[i], cb, arg);
	for (size_t i = 0; i < c->nrules; i++) {
		conf_rule_print(&c->rules[i], value, sizeof(value));
		cb(arg, "screen", "rule", value);
	}
	for (size_t i = 0; i < c->nroutes; i++)
		conf_route_print(&c->routes[i], cb, arg);
}
