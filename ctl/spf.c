/*
 * spf.c - see spf.h.
 *
 * A record is walked through term by term; an include or a redirect puts
 * another record on top of it, so there is no recursion.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/spf.h"
#include "lib/code.h"
#include "lib/net.h"

#define LOOKUPS 10 /* RFC 7208 4.6.4 */

struct record {
	char domain[256];
	char text[2048];
	size_t at;
	bool passes; /* the include that brought us here has "+" */
};

struct walk {
	struct lookup *lookup;
	unsigned char address[16];
	size_t bytes; /* 4 or 16 */
	unsigned lookups;
	bool unknown;
	struct record stack[LOOKUPS + 1];
	unsigned depth;
};

static bool
is_record(const char *text)
{
	return strncasecmp(text, "v=spf1", 6) == 0 &&
	    (text[6] == ' ' || text[6] == '\0');
}

/* Put the record of a domain on top. */
static enum spf
push(struct walk *w, const char *domain, bool passes)
{
	struct record *r = &w->stack[w->depth];
	struct found f;
	unsigned n = 0;
	enum spf result = SPF_PASS;

	if (w->depth > LOOKUPS)
		return SPF_DEEP;
	if (lookup_ask(w->lookup, domain, TYPE_TXT, &f) != CODE_OK ||
	    f.result == DNS_BOGUS || f.result == DNS_FAILED) {
		result = SPF_UNKNOWN;
	} else {
		for (size_t i = 0; i < f.n; i++)
			if (is_record(f.texts[i]) && n++ == 0)
				snprintf(r->text, sizeof(r->text), "%s",
				    f.texts[i] + 6);
		result = n == 0 ? SPF_NONE : n > 1 ? SPF_SEVERAL : SPF_PASS;
	}
	found_clear(&f);
	if (result != SPF_PASS)
		return result;
	snprintf(r->domain, sizeof(r->domain), "%s", domain);
	r->at = 0;
	r->passes = passes;
	w->depth++;
	return SPF_PASS;
}

static bool
in_network(const struct walk *w, const char *address, int prefix)
{
	unsigned char b[16];
	size_t bytes = inet_pton(AF_INET, address, b) == 1 ? 4
	    : inet_pton(AF_INET6, address, b) == 1         ? 16
							   : 0;
	int bits;

	if (bytes != w->bytes)
		return false;
	bits = prefix < 0 || prefix > (int)bytes * 8 ? (int)bytes * 8 : prefix;
	return net_same_bits(b, w->address, (unsigned)bits);
}

/* Has the host this address? */
static bool
host_has(struct walk *w, const char *host, int prefix)
{
	struct found f;
	bool has = false;

	if (lookup_ask(w->lookup, host, w->bytes == 4 ? TYPE_A : TYPE_AAAA,
		&f) != CODE_OK ||
	    f.result >= DNS_BOGUS)
		w->unknown = true;
	for (size_t i = 0; i < f.n && !has; i++)
		has = in_network(w, f.texts[i], prefix);
	found_clear(&f);
	return has;
}

static bool
exchanger_has(struct walk *w, const char *domain, int prefix)
{
	struct found f;
	bool has = false;

	if (lookup_ask(w->lookup, domain, TYPE_MX, &f) != CODE_OK ||
	    f.result >= DNS_BOGUS)
		w->unknown = true;
	for (size_t i = 0; i < f.n && i < 10 && !has; i++)
		has = host_has(
		    w, f.texts[i] + strcspn(f.texts[i], " ") + 1, prefix);
	found_clear(&f);
	return has;
}

/* A term without its qualifier: its name, and what is behind ":" or "/". */
struct term {
	char name[32];
	char domain[256]; /* "" none */
	int prefix;       /* for our kind of address; -1 none */
};

static void
read_term(const struct walk *w, char *text, struct term *t)
{
	size_t n = strcspn(text, ":/=");
	bool is_ip = strncasecmp(text, "ip", 2) == 0;
	char *slash;

	snprintf(t->name, sizeof(t->name), "%.*s", (int)n, text);
	t->domain[0] = '\0';
	t->prefix = -1;
	slash = strchr(text + n, '/');
	if (slash != NULL) {
		*slash = '\0';
		/* "/24//64": the second is for IPv6. */
		if (is_ip || w->bytes == 4)
			t->prefix = atoi(slash + 1);
		else if ((slash = strstr(slash + 1, "//")) != NULL)
			t->prefix = atoi(slash + 2);
		if (is_ip || t->prefix > 0)
			;
		else
			t->prefix = -1;
	}
	if (text[n] == ':' || text[n] == '=')
		snprintf(t->domain, sizeof(t->domain), "%s", text + n + 1);
}

/* The next term of the record on top; false at its end. */
static bool
next_word(struct record *r, char *word, size_t size)
{
	size_t n;

	r->at += strspn(r->text + r->at, " ");
	n = strcspn(r->text + r->at, " ");
	snprintf(word, size, "%.*s", (int)n, r->text + r->at);
	r->at += n;
	return n > 0;
}

enum match { NO, YES, INTO };

/* Does a mechanism match?  INTO: another record is on top now. */
static enum match
match(struct walk *w, const struct record *r, const struct term *t, bool passes,
    enum spf *error)
{
	const char *domain = t->domain[0] != '\0' ? t->domain : r->domain;

	if (strchr(t->domain, '%') != NULL) {
		w->unknown = true;
		return NO;
	}
	if (strcasecmp(t->name, "all") == 0)
		return YES;
	if (strcasecmp(t->name, "ip4") == 0 || strcasecmp(t->name, "ip6") == 0)
		return in_network(w, t->domain, t->prefix) ? YES : NO;
	if (strcasecmp(t->name, "a") == 0 || strcasecmp(t->name, "mx") == 0 ||
	    strcasecmp(t->name, "include") == 0) {
		if (++w->lookups > LOOKUPS) {
			*error = SPF_DEEP;
			return NO;
		}
		if (t->name[0] == 'a' || t->name[0] == 'A')
			return host_has(w, domain, t->prefix) ? YES : NO;
		if (t->name[0] == 'm' || t->name[0] == 'M')
			return exchanger_has(w, domain, t->prefix) ? YES : NO;
		*error = push(w, domain, passes);
		return *error == SPF_PASS ? INTO : NO;
	}
	if (strcasecmp(t->name, "ptr") == 0 ||
	    strcasecmp(t->name, "exists") == 0)
		w->unknown = true;
	return NO;
}

/* Walk through the record on top: what it says, once it has said it. */
static enum spf
walk(struct walk *w, bool *done)
{
	struct record *r = &w->stack[w->depth - 1];
	char word[512], redirect[256] = "";
	enum spf error = SPF_PASS;
	struct term t;

	*done = true;
	while (next_word(r, word, sizeof(word))) {
		char *text = word;
		bool passes = strchr("-~?", *text) == NULL;

		text += strchr("+-~?", *text) != NULL && *text != '\0';
		read_term(w, text, &t);
		if (strcasecmp(t.name, "redirect") == 0) {
			snprintf(redirect, sizeof(redirect), "%s", t.domain);
			continue;
		}
		switch (match(w, r, &t, passes, &error)) {
		case YES:
			return passes ? SPF_PASS : SPF_FAIL;
		case INTO:
			*done = false;
			return SPF_PASS;
		case NO:
			if (error != SPF_PASS)
				return error;
			break;
		}
	}
	if (redirect[0] == '\0')
		return SPF_FAIL;
	if (++w->lookups > LOOKUPS)
		return SPF_DEEP;
	w->depth--;
	error = push(w, redirect, r->passes);
	*done = error != SPF_PASS;
	return error;
}

enum spf
spf_check(struct lookup *lookup, const char *domain, const char *address)
{
	struct walk w = { .lookup = lookup };
	enum spf result = SPF_FAIL;
	bool done;

	w.bytes = inet_pton(AF_INET, address, w.address) == 1 ? 4 : 16;
	if (w.bytes == 16 && inet_pton(AF_INET6, address, w.address) != 1)
		return SPF_UNKNOWN;
	result = push(&w, domain, true);
	if (result != SPF_PASS)
		return result;
	while (w.depth > 0) {
		result = walk(&w, &done);
		if (!done)
			continue;
		if (result != SPF_PASS && result != SPF_FAIL)
			return result;
		/* An include matches when the record in it passes; otherwise
		 * the record around it goes on. */
		while (result == SPF_PASS && w.depth > 1)
			result =
			    w.stack[--w.depth].passes ? SPF_PASS : SPF_FAIL;
		if (result == SPF_PASS)
			return SPF_PASS;
		if (w.depth == 1)
			break;
		w.depth--;
	}
	return w.unknown ? SPF_UNKNOWN : SPF_FAIL;
}
