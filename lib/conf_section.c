/*
 * conf_section.c - which sections there are, and to whom a key goes.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf_parser.h"
#include "lib/suggest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATHS    "paths"
#define TLS      "tls"

static const struct conf_section *const sections[] = {
	&conf_section_listen,
	&conf_section_tls,
	&conf_section_route,
	&conf_section_screen,
};

void
conf_complain_at(struct parser *p, int line, const char *text, const char *hint)
{
	p->errors++;
	if (p->error != NULL)
		p->error(p->arg, line, text, hint);
}

bool
conf_section_tls_depends(const char *header)
{
	return strncmp(header, TLS, strlen(TLS)) == 0 ||
	    strncmp(header, PATHS, strlen(PATHS)) == 0;
}

/* The same of a key.  A lost heading leaves it to the section in front. */
static bool
tls_depends(const char *name)
{
	return strcmp(name, "certificate") == 0 || strcmp(name, "key") == 0 ||
	    strcmp(name, "state") == 0;
}

void
conf_complain(struct parser *p, const char *text, const char *hint)
{
	if (strcmp(p->section, PATHS) == 0)
		p->doubt = true;
	if (conf_section_tls_depends(p->section))
		p->tls_doubt = true;
	conf_complain_at(p, p->line, text, hint);
}

static void
bad_value(
    struct parser *p, const char *name, const char *value, const char *why)
{
	char text[512];

	if (strcmp(p->section, PATHS) == 0 && strcmp(name, "run") == 0)
		p->run_bad = true;
	snprintf(text, sizeof(text), "%.64s: \"%.200s\": %s", name, value, why);
	conf_complain(p, text, "");
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

/* Of the section at hand, else of any plain one. */
static struct nearest
find_nearest(const struct parser *p, const char *name)
{
	struct nearest n = { .section = "" };

	suggest_init(&n.name, name);
	if (p->at != NULL)
		for (const struct conf_setting *k = p->at->keys; k->name; k++)
			consider(&n, "", k->name);
	for (size_t i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].section, p->section) == 0)
			consider(&n, "", conf_keys[i].name);
	if (n.name.best != NULL)
		return n;
	for (size_t i = 0; i < conf_nkeys; i++)
		consider(&n, conf_keys[i].section, conf_keys[i].name);
	return n;
}

/* Nothing is like it: say what there is in this section. */
static void
list_keys(const struct parser *p, char *out, size_t size)
{
	const char *between = "keys here: ";
	size_t n = 0;

	for (const struct conf_setting *k = p->at != NULL ? p->at->keys : NULL;
	     k != NULL && k->name != NULL && n < size; k++, between = ", ")
		n += (size_t)snprintf(
		    out + n, size - n, "%s%s", between, k->name);
	for (size_t i = 0; p->at == NULL && i < conf_nkeys && n < size; i++)
		if (strcmp(conf_keys[i].section, p->section) == 0) {
			n += (size_t)snprintf(out + n, size - n, "%s%s",
			    between, conf_keys[i].name);
			between = ", ";
		}
}

static void
unknown_key(struct parser *p, const char *name)
{
	struct nearest n = find_nearest(p, name);
	char text[512], hint[256] = "";

	/* A lost "[paths]" leaves its keys to the section in front. */
	if (strcmp(n.section, PATHS) == 0 || strcmp(name, "run") == 0)
		p->doubt = true;
	if (tls_depends(name) || conf_section_tls_depends(n.section))
		p->tls_doubt = true;
	if (*p->section != '\0')
		snprintf(text, sizeof(text),
		    "unknown key \"%.100s\" in [%.100s]", name, p->section);
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
	else
		list_keys(p, hint, sizeof(hint));
	conf_complain(p, text, hint);
}

/* What follows the word in "word NAME", "" behind the word alone; NULL when it
 * is another section. */
static const char *
name_in(const struct conf_section *s, const char *header)
{
	size_t n = strlen(s->word);

	if (strncmp(header, s->word, n) != 0)
		return NULL;
	if (s->begin == NULL)
		return header[n] == '\0' ? header + n : NULL;
	return header[n] == ' ' ? header + n + strspn(header + n, " \t") : NULL;
}

static bool
is_plain(const char *section)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			return *section != '\0';
	return false;
}

static void
unknown_section(struct parser *p, const char *header)
{
	size_t n = strcspn(header, " \t");
	char word[SUGGEST_MAX], text[400], hint[200];
	struct suggest near;

	snprintf(text, sizeof(text), "unknown section [%.200s]", header);
	snprintf(word, sizeof(word), "%.*s", (int)(n < 60 ? n : 60), header);
	suggest_init(&near, word);
	for (size_t i = 0; i < COUNT(sections); i++)
		suggest_offer(&near, sections[i]->word);
	for (size_t i = 0; i < conf_nkeys; i++)
		suggest_offer(&near, conf_keys[i].section);
	if (near.best != NULL && strcmp(near.best, word) != 0)
		snprintf(hint, sizeof(hint), "did you mean [%s%.60s]?",
		    near.best, header + n);
	else
		snprintf(hint, sizeof(hint),
		    "sections: tls, tls NAME, listen NAME, limits, screen, "
		    "guard, queue, dns, route NAME, paths, users, smtpd, log");
	conf_complain(p, text, hint);
}

void
conf_section_begin(struct parser *p, const char *header)
{
	const char *name;

	conf_section_end(p);
	snprintf(p->section, sizeof(p->section), "%s", header);
	for (size_t i = 0; i < COUNT(sections); i++) {
		if ((name = name_in(sections[i], header)) == NULL)
			continue;
		p->at = sections[i];
		if (p->at->begin != NULL)
			p->at->begin(p, name);
		return;
	}
	if (is_plain(header)) {
		if (strcmp(header, TLS) == 0)
			p->conf->tls[0].line = p->line;
		return;
	}
	unknown_section(p, header);
	/* One complaint is enough for all that stands in it. */
	p->refused = true;
	p->doubt = true;
}

void
conf_section_end(struct parser *p)
{
	if (p->at != NULL && p->at->end != NULL && !p->refused)
		p->at->end(p);
	p->at = NULL;
	p->refused = false;
}

static void
plain_key(struct parser *p, const char *name, const char *value)
{
	const struct conf_key *k;
	const char *why;

	for (size_t i = 0; i < conf_nkeys; i++) {
		k = &conf_keys[i];
		if (strcmp(k->section, p->section) != 0 ||
		    strcmp(k->name, name) != 0)
			continue;
		why = p->conf->lines[i] != 0 ? "set twice" : NULL;
		p->conf->lines[i] = p->line;
		if (why != NULL)
			bad_value(p, name, value, why);
		if ((why = k->read(p->conf, k, value)) != NULL)
			bad_value(p, name, value, why);
		return;
	}
	unknown_key(p, name);
}

void
conf_section_key(struct parser *p, const char *name, const char *value)
{
	const char *why;

	if (p->refused) {
		p->tls_doubt |= tls_depends(name);
		return;
	}
	if (p->at == NULL) {
		plain_key(p, name, value);
		return;
	}
	for (const struct conf_setting *k = p->at->keys; k->name != NULL; k++) {
		if (strcmp(k->name, name) != 0)
			continue;
		if ((why = k->read(p->at->place(p), value)) != NULL)
			bad_value(p, name, value, why);
		return;
	}
	unknown_key(p, name);
}
