/*
 * conf_tls.c - [tls NAME]: a certificate for clients that ask for a name.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf_parser.h"

static const char *
read_file(char to[CONF_PATH], const char *value)
{
	if (*value != '/')
		return "write an absolute path";
	return conf_put_text(to, CONF_PATH, value);
}

static const char *
read_certificate(void *to, const char *value)
{
	struct conf_tls *t = to;

	return read_file(t->certificate, value);
}

static const char *
read_key(void *to, const char *value)
{
	struct conf_tls *t = to;

	return read_file(t->key, value);
}

static const char *
read_ca_file(void *to, const char *value)
{
	(void)to, (void)value;
	return "it is for all certificates: write it into [tls]";
}

static const struct conf_setting keys[] = {
	{ "certificate", read_certificate },
	{ "key", read_key },
	{ "ca-file", read_ca_file },
	{ NULL, NULL },
};

static void *
place(struct parser *p)
{
	return &p->conf->tls[p->conf->ntls - 1];
}

/* Whether it may be called so; makes it lower case. */
static bool
check_name(char *name)
{
	conf_lower(name);
	return conf_host_name(strncmp(name, "*.", 2) == 0 ? name + 2 : name);
}

static void
begin(struct parser *p, const char *name)
{
	struct conf_tls *t = &p->conf->tls[p->conf->ntls];

	p->refused = true;
	if (p->conf->ntls == CONF_TLS) {
		conf_complain(
		    p, "too many certificates: 64 besides that of [tls]", "");
		return;
	}
	memset(t, 0, sizeof(*t));
	t->line = p->line;
	if (conf_put_text(t->name, sizeof(t->name), name) != NULL ||
	    !check_name(t->name)) {
		conf_complain(p,
		    "[tls NAME]: write the host name that clients connect to, "
		    "like mail.example.net",
		    "");
		return;
	}
	for (size_t i = 1; i < p->conf->ntls; i++)
		if (strcmp(p->conf->tls[i].name, t->name) == 0)
			conf_complain(
			    p, "a [tls] of this name is there already", "");
	p->refused = false;
	p->conf->ntls++;
}

const struct conf_section conf_section_tls = {
	.word = "tls",
	.keys = keys,
	.begin = begin,
	.place = place,
};

void
conf_tls_print(const struct conf_tls *t, conf_value_fn *cb, void *arg)
{
	char section[sizeof(t->name) + 8];

	snprintf(section, sizeof(section), "tls %s", t->name);
	cb(arg, section, "certificate", t->certificate);
	cb(arg, section, "key", t->key);
}
