/*
 * conf_screen.c - the rules of [screen]: reading one, and telling those that
 * could never match.
 *
 *	rule = ACTION any|NETWORK|HOST|*.DOMAIN|list ZONE [CODES] ["TEXT"]
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf_parser.h"

#define SHAPE \
	"write an action (allow, refuse, certificate, slow), what it is " \
	"about " \
	"(any, 192.0.2.0/24, host.example.net, *.example.net or " \
	"`list zone.example`), and, if you like, a \"text\""

/* The next word of *at into out, which is "" at the end.  False when it does
 * not fit. */
static bool
next_word(const char **at, char *out, size_t size)
{
	const char *s = *at + strspn(*at, " \t");
	size_t n = strcspn(s, " \t\"");

	if (n >= size)
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	*at = s + n;
	return true;
}

/* What is left must be a text in quotes, or nothing. */
static const char *
read_text(struct screen_rule *r, const char *s)
{
	size_t n;

	s += strspn(s, " \t");
	if (*s == '\0')
		return NULL;
	n = strlen(s);
	if (*s != '"')
		return "write what the client is told in \"quotes\"";
	if (n < 2 || s[n - 1] != '"')
		return "the quote at the end of the text is missing (behind a "
		       "blank, ; begins a comment)";
	if (n - 2 >= sizeof(r->text))
		return "the text is too long: 199 octets at most";
	for (size_t i = 1; i < n - 1; i++)
		if (s[i] < ' ' || s[i] > '~' || s[i] == '"')
			return "the text may have printable ASCII only, and no "
			       "quotes";
	memcpy(r->text, s + 1, n - 2);
	r->text[n - 2] = '\0';
	if (*r->text != '\0' && r->action != SCREEN_REFUSE &&
	    r->action != SCREEN_CERTIFICATE)
		return "only refuse and certificate say something to the "
		       "client";
	return NULL;
}

static bool
read_code(const char *s, size_t n, uint32_t *out)
{
	char text[16];
	struct in_addr a;

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*out = ntohl(a.s_addr);
	return *out >> 24 == 127;
}

/* "127.0.0.2" or "127.0.0.2-127.0.0.9". */
static const char *
read_range(struct screen_rule *r, const char *item)
{
	size_t n = strcspn(item, "-");
	uint32_t first, last;

	if (r->ncodes == SCREEN_CODES)
		return "8 codes or ranges at most";
	if (!read_code(item, n, &first))
		return "write the codes of a list like "
		       "127.0.0.2,127.0.0.4-127.0.0.7";
	last = first;
	if (item[n] == '-' &&
	    (!read_code(item + n + 1, strlen(item + n + 1), &last) ||
		last < first))
		return "write a range of codes like 127.0.0.4-127.0.0.7";
	r->codes[r->ncodes].first = first;
	r->codes[r->ncodes++].last = last;
	return NULL;
}

static const char *
read_codes(struct screen_rule *r, char *word)
{
	const char *why = NULL;
	char *item, *save = NULL;

	for (item = strtok_r(word, ",", &save); item != NULL && why == NULL;
	     item = strtok_r(NULL, ",", &save))
		why = read_range(r, item);
	return why;
}

static const char *
read_list(struct screen_rule *r, const char **at)
{
	char word[256];

	r->kind = SCREEN_LIST;
	if (!next_word(at, r->name, sizeof(r->name)) ||
	    !conf_host_name(r->name) || strlen(r->name) > 150)
		return "write the zone of the list, like `list zen.example`";
	conf_lower(r->name);
	if (!next_word(at, word, sizeof(word)))
		return "the list of codes is too long";
	return read_codes(r, word);
}

static const char *
read_subject(struct screen_rule *r, const char **at)
{
	char word[256];
	const char *name = word;

	if (!next_word(at, word, sizeof(word)))
		return "the name is too long";
	if (strcmp(word, "any") == 0) {
		r->kind = SCREEN_ANY;
		return NULL;
	}
	if (strcmp(word, "list") == 0)
		return read_list(r, at);
	/* No top-level domain is a number. */
	if (strchr(word, ':') != NULL || strchr(word, '/') != NULL ||
	    (*word != '\0' && strspn(word, "0123456789.") == strlen(word))) {
		r->kind = SCREEN_NETWORK;
		return net_network_parse(&r->network, word);
	}
	if (*word == '.')
		return "write *.example.net for all below a domain";
	if (strncmp(word, "*.", 2) == 0)
		name += 2;
	if (!conf_host_name(name) || strchr(name, '.') == NULL)
		return SHAPE;
	r->kind = SCREEN_NAME;
	conf_lower(word);
	return conf_put_text(r->name, sizeof(r->name), word);
}

static const char *
read_words(struct screen_rule *r, const char *value)
{
	char word[32];
	const char *why;
	unsigned a = 0;

	if (!next_word(&value, word, sizeof(word)))
		return SHAPE;
	while (a < SCREEN_ACTIONS &&
	    strcmp(word, screen_action_name((enum screen_action)a)) != 0)
		a++;
	if (a == SCREEN_ACTIONS)
		return SHAPE;
	r->action = (enum screen_action)a;
	why = read_subject(r, &value);
	return why != NULL ? why : read_text(r, value);
}

/* All of IPv4 and all of IPv6 are everybody. */
static bool
all_before(const struct conf *c, size_t n, const struct screen_rule **last)
{
	bool v4 = false, v6 = false;

	for (size_t i = 0; i < n && !(v4 && v6); i++) {
		const struct screen_rule *r = &c->rules[i];

		if (r->kind != SCREEN_NETWORK)
			continue;
		v6 |= r->network.bits == 0;
		v4 |= r->network.bits == 96 && r->network.address[10] == 0xff;
		*last = r;
	}
	return v4 && v6;
}

/* The rule before the nth because of which that one never matches, or NULL. */
static const struct screen_rule *
find_shadow(const struct conf *c, size_t n)
{
	const struct screen_rule *last = NULL;

	for (size_t i = 0; i < n; i++)
		if (screen_covers(&c->rules[i], &c->rules[n]))
			return &c->rules[i];
	return all_before(c, n, &last) ? last : NULL;
}

/* Rows are many, so the place is the parser. */
static const char *
read_rule(void *to, const char *value)
{
	struct parser *p = to;
	struct screen_rule *r = &p->conf->rules[p->conf->nrules];
	const struct screen_rule *before;
	const char *why;
	char text[200];

	if (p->conf->nrules == SCREEN_RULES) {
		conf_complain(p, "too many rules: 256",
		    "networks in one block can be one rule, like 192.0.2.0/24");
		return NULL;
	}
	memset(r, 0, sizeof(*r));
	r->line = p->line;
	if ((why = read_words(r, value)) != NULL)
		return why;
	before = find_shadow(p->conf, p->conf->nrules);
	p->conf->nrules++;
	if (before == NULL)
		return NULL;
	snprintf(text, sizeof(text),
	    "this rule never acts: all that it is about is settled by the rule "
	    "in line %d",
	    before->line);
	conf_complain(p, text, "move it above that one, or remove it");
	return NULL;
}

static const struct conf_setting keys[] = {
	{ "rule", read_rule },
	{ NULL, NULL },
};

static void *
place(struct parser *p)
{
	return p;
}

const struct conf_section conf_section_screen = {
	.word = "screen",
	.keys = keys,
	.place = place,
};

static size_t
print_codes(const struct screen_rule *r, char *out, size_t size)
{
	struct in_addr a;
	char first[16], last[16];
	size_t n = 0;

	for (unsigned i = 0; i < r->ncodes && n < size; i++) {
		a.s_addr = htonl(r->codes[i].first);
		inet_ntop(AF_INET, &a, first, sizeof(first));
		a.s_addr = htonl(r->codes[i].last);
		inet_ntop(AF_INET, &a, last, sizeof(last));
		n += (size_t)snprintf(out + n, size - n, "%c%s%s%s",
		    i == 0 ? ' ' : ',', first,
		    r->codes[i].first == r->codes[i].last ? "" : "-",
		    r->codes[i].first == r->codes[i].last ? "" : last);
	}
	return n;
}

void
conf_rule_print(const struct screen_rule *r, char *out, size_t size)
{
	char network[NET_TEXT + 4];
	const char *what = r->kind == SCREEN_ANY ? "any" : r->name;
	size_t n;

	if (r->kind == SCREEN_NETWORK) {
		net_network_text(&r->network, network);
		what = network;
	}
	n = (size_t)snprintf(out, size, "%s %s%s",
	    screen_action_name(r->action),
	    r->kind == SCREEN_LIST ? "list " : "", what);
	if (n < size)
		n += print_codes(r, out + n, size - n);
	if (n < size && *r->text != '\0')
		snprintf(out + n, size - n, " \"%s\"", r->text);
}
