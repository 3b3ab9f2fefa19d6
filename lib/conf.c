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

#include "lib/conf_parser.h"

static int
on_key(void *arg, const char *section, const char *name, const char *value)
{
	(void)section;
	conf_section_key(arg, name, value);
	return 1;
}

/* A line that cannot be read may have been a heading or any key. */
static void
lose(struct parser *p, const char *line, const char *why, const char *hint)
{
	p->doubt = true;
	if (*line == '[' && conf_section_tls_depends(line + 1))
		p->tls_doubt = true;
	conf_complain(p, why, hint);
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
			conf_complain(
			    p, "a line is `key = value` or `[section]`", "");
		return;
	}
	close = strrchr(line, ']');
	if (close == NULL) {
		lose(p, line, "`]` is missing", "");
		return;
	}
	n = (size_t)(close - line - 1);
	if (n >= sizeof(name)) {
		lose(p, line, "the section's name is too long", "");
		return;
	}
	memcpy(name, line + 1, n);
	name[n] = '\0';
	conf_section_begin(p, name);
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
		lose(p, p->text, "the line is too long", "198 bytes at most");
		snprintf(out, (size_t)size, "\n");
	} else if (memchr(p->text, 0, n) != NULL) {
		lose(p, p->text, "a NUL byte in the line", "");
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
		p->tls_doubt = true;
		conf_complain_at(p, 0, "paths.state is too long", "");
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
incomplete_pair(struct parser *p, const struct conf_tls *t, const char *text,
    const char *hint)
{
	p->tls_doubt = true;
	conf_complain_at(p, t->line, text, hint);
}

static void
check_pairs(struct parser *p)
{
	struct conf *c = p->conf;

	if ((*c->tls[0].certificate == '\0') != (*c->tls[0].key == '\0'))
		incomplete_pair(p, &c->tls[0],
		    "[tls] needs certificate and key, or neither",
		    "without both, `postern init` makes a self-signed pair");
	else if (*c->tls[0].key == '\0')
		name_own_pair(p, c);
	for (size_t i = 1; i < c->ntls; i++)
		if (*c->tls[i].certificate == '\0' || *c->tls[i].key == '\0')
			incomplete_pair(p, &c->tls[i],
			    "[tls NAME] needs certificate and key",
			    "name both files");
}

static void
check_routes(struct parser *p)
{
	struct conf *c = p->conf;

	for (size_t i = 0; i < c->nroutes; i++) {
		struct conf_route *r = &c->routes[i];

		if ((*r->user != '\0') != (*r->password_file != '\0'))
			conf_complain_at(p, r->line,
			    "a route needs user and "
			    "password-file, or neither",
			    "");
		if (*r->user != '\0' && r->mx)
			conf_complain_at(p, r->line,
			    "a route with a user needs "
			    "`via = host:port`",
			    "");
	}
}

static void
check_whole(struct parser *p)
{
	struct conf *c = p->conf;

	if (*c->hostname == '\0' && conf_line(c, "", "hostname") == 0)
		conf_complain_at(p, 0, "hostname is missing",
		    "add `hostname = mail.example.org` at the top");
	check_pairs(p);
	choose_anchor(c);
	if (c->nlistens == 0 && p->errors == 0)
		conf_complain_at(p, 0, "no [listen NAME] section",
		    "add [listen submissions] with `address = 0.0.0.0:465` "
		    "and `tls = implicit`");
	check_routes(p);
}

static void
set_defaults(struct parser *p)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		if (conf_keys[i].by_default != NULL)
			conf_keys[i].read(
			    p->conf, &conf_keys[i], conf_keys[i].by_default);
}

/* Where a server of this file listens for commands is unsure. */
static bool
is_hidden(const struct parser *p)
{
	return p->run_bad ||
	    (p->doubt && conf_line(p->conf, "paths", "run") == 0);
}

/* How many errors there are. */
static int
parse(struct conf *c, const char *text, size_t len, conf_error_fn *error,
    void *arg)
{
	struct parser *p = calloc(1, sizeof(*p));
	int errors;

	if (p == NULL)
		abort();
	p->conf = c;
	c->ntls = 1;
	p->text = text;
	p->end = text + len;
	p->error = error;
	p->arg = arg;
	set_defaults(p);
	if (len > CONF_MAX)
		conf_complain_at(p, 0, "the file is over 64 KiB", "");
	else
		ini_parse_stream(read_line, p, on_key, p);
	conf_section_end(p);
	conf_follow(p);
	check_whole(p);
	errors = p->errors;
	if (errors > 0 && is_hidden(p))
		*c->run = '\0';
	c->tls_doubtful = p->tls_doubt;
	free(p);
	return errors;
}

static struct conf *
make(const char *file)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	snprintf(c->file, sizeof(c->file), "%s", file);
	return c;
}

struct conf *
conf_parse(const char *file, const char *text, size_t len, conf_error_fn *error,
    void *arg)
{
	struct conf *c = make(file);

	if (parse(c, text, len, error, arg) == 0)
		return c;
	conf_free(c);
	return NULL;
}

struct conf *
conf_salvage(const char *file, const char *text, size_t len, int *errors)
{
	struct conf *c = make(file);

	*errors = parse(c, text, len, NULL, NULL);
	return c;
}

int
conf_line(const struct conf *c, const char *section, const char *key)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].section, section) == 0 &&
		    strcmp(conf_keys[i].name, key) == 0)
			return c->lines[i];
	return 0;
}

void
conf_free(struct conf *c)
{
	free(c);
}

void
conf_each(const struct conf *c, conf_value_fn *cb, void *arg)
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
