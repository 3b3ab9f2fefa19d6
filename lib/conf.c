/*
 * conf.c - see conf.h.
 *
 * keys[] is the language: a row is a key, where it goes and how it is read.
 * inih splits the lines; the reader that feeds it counts them, so that each
 * error names its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"

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
	char addresses[1024];
	bool seen[64]; /* keys[] rows */
};

struct key;
typedef const char *read_fn(struct parser *, const struct key *, const char *);

struct key {
	const char *section, *name;
	read_fn *read; /* NULL, or what is wrong with the value */
	size_t off, size;
	const char *by_default;
};

static read_fn read_text, read_path, read_size, read_count, read_duration,
    read_retries, read_yes_no, read_server, read_hostname;

#define AT(f) offsetof(struct conf, f), sizeof(((struct conf *)0)->f)

/* clang-format off */
static const struct key keys[] = {
/*   section   key               read            where                 default */
   { "",       "hostname",       read_hostname,  AT(hostname),         NULL },
   { "tls",    "certificate",    read_path,      AT(certificate),      NULL },
   { "tls",    "key",            read_path,      AT(key),              NULL },
   { "tls",    "ca-file",        read_path,      AT(ca_file),          "/etc/ssl/certs/ca-certificates.crt" },
   { "limits", "message-size",   read_size,      AT(message_size),     "35M" },
   { "limits", "recipients",     read_count,     AT(recipients),       "100" },
   { "limits", "per-hour",       read_count,     AT(rcpts_hour),       "300" },
   { "limits", "per-day",        read_count,     AT(rcpts_day),        "2000" },
   { "limits", "connections",    read_count,     AT(connections),      "50" },
   { "queue",  "give-up",        read_duration,  AT(give_up_s),        "5d" },
   { "queue",  "delay-notice",   read_duration,  AT(delay_notice_s),   "4h" },
   { "queue",  "retry",          read_retries,   AT(retry_s),          "1m, 5m, 10m, 20m, 30m, 1h, 2h, 4h" },
   { "queue",  "per-destination", read_count,    AT(per_destination),  "20" },
   { "queue",  "in-flight",      read_count,     AT(in_flight),        "500" },
   { "queue",  "cache",          read_size,      AT(cache_bytes),      "64M" },
   { "queue",  "journal",        read_duration,  AT(journal_s),        "30d" },
   { "dns",    "server",         read_server,    AT(dns_server),       "" },
   { "dns",    "trust-anchor",   read_path,      AT(trust_anchor),     "/usr/share/dns/root.key" },
   { "paths",  "state",          read_path,      AT(state),            "/var/lib/postern" },
   { "paths",  "run",            read_path,      AT(run),              "/run/postern" },
   { "users",  "smtpd",          read_text,      AT(user_smtpd),       "_postern" },
   { "users",  "auth",           read_text,      AT(user_auth),        "_posternauth" },
   { "users",  "queue",          read_text,      AT(user_queue),       "_posternq" },
   { "users",  "deliver",        read_text,      AT(user_deliver),     "_posternout" },
   { "users",  "admin-group",    read_text,      AT(admin_group),      "" },
   { "smtpd",  "workers",        read_count,     AT(workers),          "0" },
   { "log",    "syslog",         read_yes_no,    AT(syslog),           "no" },
};

/* Keys of the sections that have a name. */
static const char *const listen_keys[] = { "address", "tls", NULL };
static const char *const route_keys[] = {
	"via", "tls", "user", "password-file", NULL };

static const struct { const char *name; enum route_tls tls; } route_tls[] = {
	{ "opportunistic", ROUTE_TLS_MAY },
	{ "required", ROUTE_TLS_REQUIRED },
	{ "verified", ROUTE_TLS_VERIFIED },
	{ "implicit", ROUTE_TLS_IMPLICIT },
	{ "never", ROUTE_TLS_NEVER },
};

static const struct { const char *unit; uint64_t factor; } size_units[] = {
	{ "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 },
	{ "G", 1024 * 1024 * 1024 },
}, time_units[] = {
	{ "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 },
	{ "w", 7 * 86400 },
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

/* A number followed by a unit of the table; false when it is neither. */
static bool
read_unit(const char *s, const void *units, size_t nunits, uint64_t *out)
{
	const struct {
		const char *unit;
		uint64_t factor;
	} *u = units;
	char *rest;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &rest, 10);
	if (errno != 0)
		return false;
	while (*rest == ' ')
		rest++;
	for (size_t i = 0; i < nunits; i++)
		if (strcasecmp(rest, u[i].unit) == 0) {
			if (*out > UINT64_MAX / u[i].factor)
				return false;
			*out *= u[i].factor;
			return true;
		}
	return false;
}

static const char *
put_text(char *to, size_t size, const char *value)
{
	size_t n = strlen(value);

	if (n >= size)
		return "the value is too long";
	memcpy(to, value, n + 1);
	return NULL;
}

static char *
member(struct parser *p, const struct key *k)
{
	return (char *)p->conf + k->off;
}

static const char *
read_text(struct parser *p, const struct key *k, const char *value)
{
	return put_text(member(p, k), k->size, value);
}

static const char *
read_path(struct parser *p, const struct key *k, const char *value)
{
	if (*value != '\0' && *value != '/')
		return "write an absolute path";
	return put_text(member(p, k), k->size, value);
}

static const char *
read_hostname(struct parser *p, const struct key *k, const char *value)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	if (*value == '\0' || strspn(value, ok) != strlen(value) ||
	    *value == '.' || *value == '-' || strstr(value, "..") != NULL ||
	    value[strlen(value) - 1] == '.')
		return "write a host name as in DNS: mail.example.org";
	return put_text(member(p, k), k->size, value);
}

static const char *
read_size(struct parser *p, const struct key *k, const char *value)
{
	uint64_t v;

	if (!read_unit(value, size_units, COUNT(size_units), &v) || v == 0)
		return "not a size: write a number with K, M or G, like 35M";
	memcpy(member(p, k), &v, sizeof(v));
	return NULL;
}

static const char *
read_count(struct parser *p, const struct key *k, const char *value)
{
	uint32_t count;
	char *rest;
	unsigned long v;

	errno = 0;
	v = strtoul(value, &rest, 10);
	/* "300/hour" says the unit that the key already has. */
	if (*rest == '/' && strncmp(k->name, "per-", 4) == 0 &&
	    strcmp(rest + 1, k->name + 4) == 0)
		rest += strlen(rest);
	if (*value < '0' || *value > '9' || *rest != '\0' || errno != 0 ||
	    v > UINT32_MAX)
		return "not a number";
	count = (uint32_t)v;
	memcpy(member(p, k), &count, sizeof(count));
	return NULL;
}

static const char *
read_duration(struct parser *p, const struct key *k, const char *value)
{
	int64_t seconds;
	uint64_t v;

	if (!read_unit(value, time_units, COUNT(time_units), &v) || v == 0 ||
	    v > 10ULL * 366 * 86400)
		return "not a time: write a number with s, m, h or d, like 5d";
	seconds = (int64_t)v;
	memcpy(member(p, k), &seconds, sizeof(seconds));
	return NULL;
}

static const char *
read_retries(struct parser *p, const struct key *k, const char *value)
{
	char copy[512], *item, *save = NULL;
	uint64_t v;

	(void)k;
	if (strlen(value) >= sizeof(copy))
		return "the value is too long";
	memcpy(copy, value, strlen(value) + 1);
	p->conf->nretries = 0;
	for (item = strtok_r(copy, ", ", &save); item != NULL;
	     item = strtok_r(NULL, ", ", &save)) {
		if (p->conf->nretries == CONF_RETRIES)
			return "16 times at most";
		if (!read_unit(item, time_units, COUNT(time_units), &v) ||
		    v == 0 || v > 30 * 86400)
			return "not a list of times: write 1m, 5m, 1h";
		p->conf->retry_s[p->conf->nretries++] = (int64_t)v;
	}
	return p->conf->nretries > 0 ? NULL : "write one time at least";
}

static const char *
read_yes_no(struct parser *p, const struct key *k, const char *value)
{
	bool yes = strcasecmp(value, "yes") == 0;

	if (!yes && strcasecmp(value, "no") != 0)
		return "write yes or no";
	memcpy(member(p, k), &yes, sizeof(yes));
	return NULL;
}

/* ADDRESS or ADDRESS@PORT, as unbound writes it. */
static const char *
read_server(struct parser *p, const struct key *k, const char *value)
{
	struct net_address a;
	const char *at = strchr(value, '@');
	size_t n = at != NULL ? (size_t)(at - value) : strlen(value);
	char *rest;
	unsigned long port = 53;

	if (*value == '\0')
		return put_text(member(p, k), k->size, value);
	if (at != NULL) {
		port = strtoul(at + 1, &rest, 10);
		if (at[1] < '0' || at[1] > '9' || *rest != '\0')
			port = 0;
	}
	if (!net_parse(&a, value, n, 53) || port == 0 || port > 65535)
		return "write an address like 127.0.0.1 or 127.0.0.1@5353";
	return put_text(member(p, k), k->size, value);
}

/* Edit distance, for "did you mean"; names are short. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b), diagonal, above;

	if (n >= COUNT(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[n];
}

struct nearest {
	const char *word;
	size_t best;
	char name[128];
};

static void
consider(struct nearest *n, const char *section, const char *name)
{
	size_t d = distance(n->word, name);

	if (d >= n->best)
		return;
	n->best = d;
	if (*section != '\0')
		snprintf(n->name, sizeof(n->name), "[%s] %s", section, name);
	else
		snprintf(n->name, sizeof(n->name), "%s", name);
}

static void
unknown_key(struct parser *p, const char *section, const char *name)
{
	struct nearest n = { .word = name, .best = 4 };
	char text[512], hint[256] = "";
	bool listen = strncmp(section, "listen", 6) == 0;
	bool route = strncmp(section, "route", 5) == 0;

	for (const char *const *k = listen_keys; listen && *k != NULL; k++)
		consider(&n, "", *k);
	for (const char *const *k = route_keys; route && *k != NULL; k++)
		consider(&n, "", *k);
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i].section, section) == 0)
			consider(&n, "", keys[i].name);
	for (size_t i = 0; i < COUNT(keys) && *n.name == '\0'; i++)
		consider(&n, keys[i].section, keys[i].name);
	if (*section != '\0')
		snprintf(text, sizeof(text),
		    "unknown key \"%.100s\" in [%.100s]", name, section);
	else
		snprintf(text, sizeof(text), "unknown key \"%.100s\"", name);
	if (*n.name != '\0')
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", n.name);
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
	if (put_text(p->listen.name, sizeof(p->listen.name), name) != NULL)
		complain(p, "the name of this [listen] is too long", "");
}

static void
listen_key(struct parser *p, const char *name, const char *value)
{
	if (strcmp(name, "address") == 0) {
		p->has_address = true;
		if (put_text(p->addresses, sizeof(p->addresses), value) != NULL)
			bad_value(p, name, value, "too long");
	} else if (strcmp(name, "tls") != 0) {
		unknown_key(p, "listen", name);
	} else {
		p->has_tls = true;
		if (strcmp(value, "implicit") == 0)
			p->listen.tls = TLS_MODE_IMPLICIT;
		else if (strcmp(value, "starttls") == 0)
			p->listen.tls = TLS_MODE_STARTTLS;
		else
			bad_value(p, name, value, "write implicit or starttls");
	}
}

static struct conf_route *
last_route(struct parser *p)
{
	return p->conf->nroutes == 0 ? NULL
				     : &p->conf->routes[p->conf->nroutes - 1];
}

static void
begin_route(struct parser *p, const char *pattern)
{
	struct conf_route *r;
	const char *star = strrchr(pattern, '*');

	if (p->conf->nroutes == CONF_ROUTES) {
		complain(p, "too many routes: 64", "");
		return;
	}
	if (*pattern == '\0' ||
	    (star != NULL &&
		(star != pattern || (star[1] != '\0' && star[1] != '.')))) {
		complain(p,
		    "[route PATTERN]: write example.net, "
		    "*.example.net or *",
		    "");
		return;
	}
	r = &p->conf->routes[p->conf->nroutes++];
	memset(r, 0, sizeof(*r));
	r->mx = true;
	r->port = 25;
	r->line = p->line;
	if (put_text(r->pattern, sizeof(r->pattern), pattern) != NULL)
		complain(p, "the pattern of this [route] is too long", "");
	for (char *c = r->pattern; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
}

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

static void
route_key(struct parser *p, const char *name, const char *value)
{
	struct conf_route *r = last_route(p);
	const char *why;

	if (r == NULL)
		return; /* its header was refused */
	if (strcmp(name, "via") == 0)
		why = read_via(r, value);
	else if (strcmp(name, "tls") == 0)
		why = read_route_tls(r, value);
	else if (strcmp(name, "user") == 0)
		why = put_text(r->user, sizeof(r->user), value);
	else if (strcmp(name, "password-file") == 0)
		why = *value != '/' ? "write an absolute path"
				    : put_text(r->password_file,
					  sizeof(r->password_file), value);
	else {
		unknown_key(p, "route", name);
		return;
	}
	if (why != NULL)
		bad_value(p, name, value, why);
}

static bool
known_section(const char *section)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i].section, section) == 0)
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
	} else if (strncmp(name, "route ", 6) == 0) {
		begin_route(p, name + 6 + strspn(name + 6, " \t"));
	} else if (!known_section(name) || *name == '\0') {
		snprintf(text, sizeof(text), "unknown section [%.200s]", name);
		complain(p, text,
		    "sections: tls, listen NAME, limits, queue, dns, "
		    "route PATTERN, paths, users, smtpd, log");
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
	if (strncmp(p->section, "route ", 6) == 0) {
		route_key(p, name, value);
		return 1;
	}
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i].section, p->section) != 0 ||
		    strcmp(keys[i].name, name) != 0)
			continue;
		if (p->seen[i])
			bad_value(p, name, value, "set twice");
		p->seen[i] = true;
		if ((why = keys[i].read(p, &keys[i], value)) != NULL)
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
	snprintf(c->certificate, sizeof(c->certificate), "%.*s/tls/cert.pem",
	    CONF_PATH - 32, c->state);
	snprintf(c->key, sizeof(c->key), "%.*s/tls/key.pem", CONF_PATH - 32,
	    c->state);
}

static void
check_whole(struct parser *p)
{
	struct conf *c = p->conf;

	if (*c->hostname == '\0')
		complain_at(p, 0, "hostname is missing",
		    "add `hostname = mail.example.org` at the top");
	if ((*c->certificate == '\0') != (*c->key == '\0'))
		complain_at(p, 0, "[tls] needs certificate and key, or neither",
		    "without both, `postern init` makes a self-signed pair");
	else if (*c->key == '\0')
		name_own_pair(p, c);
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
	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].by_default != NULL)
			keys[i].read(p, &keys[i], keys[i].by_default);
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

int
conf_read(const char *file, char **text, size_t *len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int saved;

	*text = NULL;
	if (fd == -1)
		return -1;
	*text = malloc(TEXT_MAX + 1);
	if (*text == NULL)
		abort();
	for (*len = 0; *len <= TEXT_MAX; *len += (size_t)n) {
		n = read(fd, *text + *len, TEXT_MAX + 1 - *len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	saved = *len > TEXT_MAX ? EFBIG : n == -1 ? errno : 0;
	close(fd);
	if (saved == 0)
		return 0;
	free(*text);
	*text = NULL;
	errno = saved;
	return -1;
}

static int
check_file(const char *what, const char *path, bool secret, int line,
    conf_error_fn *error, void *arg)
{
	char text[CONF_PATH + 128], hint[CONF_PATH + 64];
	struct stat st;

	if (stat(path, &st) == -1 || access(path, R_OK) == -1) {
		snprintf(text, sizeof(text), "%s: %s: %s", what, path,
		    strerror(errno));
		error(arg, line, text,
		    errno == ENOENT ? "run `postern init`, "
				      "or name a file that exists"
				    : "");
		return 1;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(
		    text, sizeof(text), "%s: %s is not a file", what, path);
		error(arg, line, text, "");
		return 1;
	}
	if (secret && (st.st_mode & (S_IROTH | S_IWOTH))) {
		snprintf(text, sizeof(text),
		    "%s: %s is open to everyone (%04o)", what, path,
		    (unsigned)(st.st_mode & 07777));
		snprintf(hint, sizeof(hint), "chmod 600 %s", path);
		error(arg, line, text, hint);
		return 1;
	}
	return 0;
}

int
conf_check_files(const struct conf *c, conf_error_fn *error, void *arg)
{
	int bad = 0;

	bad +=
	    check_file("tls.certificate", c->certificate, false, 0, error, arg);
	bad += check_file("tls.key", c->key, true, 0, error, arg);
	for (size_t i = 0; i < c->nroutes; i++)
		if (*c->routes[i].password_file != '\0')
			bad += check_file("password-file",
			    c->routes[i].password_file, true, c->routes[i].line,
			    error, arg);
	if (*c->admin_group != '\0' && getgrnam(c->admin_group) == NULL) {
		error(arg, 0, "users.admin-group: there is no such group",
		    "make it with groupadd(8)");
		bad++;
	}
	return bad;
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

/* The value of a key as postern.conf would write it. */
static void
print_key(const struct conf *c, const struct key *k, char *out, size_t size)
{
	const char *at = (const char *)c + k->off;
	uint64_t u64;
	uint32_t u32;
	int64_t s;
	bool yes;
	size_t n = 0;

	out[0] = '\0';
	if (k->read == read_size) {
		memcpy(&u64, at, sizeof(u64));
		if (u64 % (1024 * 1024) == 0)
			snprintf(out, size, "%" PRIu64 "M", u64 >> 20);
		else
			snprintf(out, size, "%" PRIu64, u64);
	} else if (k->read == read_count) {
		memcpy(&u32, at, sizeof(u32));
		snprintf(out, size, "%" PRIu32, u32);
	} else if (k->read == read_duration) {
		memcpy(&s, at, sizeof(s));
		snprintf(out, size,
		    s % 86400 == 0      ? "%" PRId64 "d"
			: s % 3600 == 0 ? "%" PRId64 "h"
					: "%" PRId64 "s",
		    s % 86400 == 0      ? s / 86400
			: s % 3600 == 0 ? s / 3600
					: s);
	} else if (k->read == read_yes_no) {
		memcpy(&yes, at, sizeof(yes));
		snprintf(out, size, "%s", yes ? "yes" : "no");
	} else if (k->read == read_retries) {
		for (size_t i = 0; i < c->nretries; i++)
			n += (size_t)snprintf(out + n, size - n,
			    "%s%" PRId64 "s", i > 0 ? ", " : "", c->retry_s[i]);
	} else {
		snprintf(out, size, "%s", at);
	}
}

static void
each_listen(const struct conf *c,
    void (*cb)(void *, const char *, const char *, const char *), void *arg)
{
	char section[80], value[NET_TEXT + 16], ip[NET_TEXT];

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct conf_listen *l = &c->listens[i];
		const struct sockaddr *sa =
		    (const struct sockaddr *)&l->address.ss;

		snprintf(section, sizeof(section), "listen %s", l->name);
		net_text(sa, ip);
		snprintf(value, sizeof(value),
		    sa->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip,
		    net_port(sa));
		cb(arg, section, "address", value);
		cb(arg, section, "tls",
		    l->tls == TLS_MODE_IMPLICIT ? "implicit" : "starttls");
	}
}

static void
each_route(const struct conf *c,
    void (*cb)(void *, const char *, const char *, const char *), void *arg)
{
	char section[300], value[300];

	for (size_t i = 0; i < c->nroutes; i++) {
		const struct conf_route *r = &c->routes[i];

		snprintf(section, sizeof(section), "route %s", r->pattern);
		snprintf(value, sizeof(value),
		    strchr(r->host, ':') ? "[%s]:%u" : "%s:%u",
		    r->mx ? "mx" : r->host, r->port);
		cb(arg, section, "via", value);
		for (size_t t = 0; t < COUNT(route_tls); t++)
			if (route_tls[t].tls == r->tls)
				cb(arg, section, "tls", route_tls[t].name);
		if (*r->user != '\0') {
			cb(arg, section, "user", r->user);
			cb(arg, section, "password-file", r->password_file);
		}
	}
}

void
conf_each(const struct conf *c,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg)
{
	char value[CONF_PATH];

	for (size_t i = 0; i < COUNT(keys); i++) {
		print_key(c, &keys[i], value, sizeof(value));
		cb(arg, keys[i].section, keys[i].name, value);
	}
	each_listen(c, cb, arg);
	each_route(c, cb, arg);
}
