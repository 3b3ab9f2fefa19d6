/*
 * screen.c - see screen.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/screen.h"

const char *
screen_action_name(enum screen_action a)
{
	static const char *const names[SCREEN_ACTIONS] = {
		[SCREEN_ALLOW] = "allow",
		[SCREEN_REFUSE] = "refuse",
		[SCREEN_CERTIFICATE] = "certificate",
		[SCREEN_SLOW] = "slow",
	};

	return a < SCREEN_ACTIONS ? names[a] : "unknown";
}

static enum screen_fact
judge(
    const struct screen_rule *r, const struct sockaddr *sa, const uint8_t *fact)
{
	switch (r->kind) {
	case SCREEN_ANY:
		return SCREEN_YES;
	case SCREEN_NETWORK:
		return net_network_has(&r->network, sa) ? SCREEN_YES
							: SCREEN_NO;
	case SCREEN_NAME:
	case SCREEN_LIST:
		break;
	}
	return fact == NULL ? SCREEN_UNKNOWN : (enum screen_fact) * fact;
}

void
screen_match(const struct conf *c, const struct sockaddr *sa,
    const uint8_t *facts, struct screen_match *m)
{
	unsigned might = 0; /* actions of rules that nobody knows of */

	m->rule = NULL;
	for (m->index = 0; m->index < c->nrules; m->index++) {
		const struct screen_rule *r = &c->rules[m->index];
		enum screen_fact fact =
		    judge(r, sa, facts == NULL ? NULL : &facts[m->index]);

		if (fact == SCREEN_YES) {
			m->rule = r;
			break;
		}
		if (fact == SCREEN_UNKNOWN)
			might |= 1u << r->action;
	}
	m->waiting = might != 0;
	m->unsure =
	    (might &
		~(1u << (m->rule == NULL ? SCREEN_ALLOW : m->rule->action))) !=
	    0;
}

/* Whether a host is below the domain of "*.domain". */
static bool
is_below(const char *pattern, const char *host)
{
	size_t n = strlen(pattern + 1), len = strlen(host);

	return len > n && strcmp(host + len - n, pattern + 1) == 0;
}

bool
screen_names(const struct screen_rule *r, const char *host)
{
	return *r->name == '*' ? is_below(r->name, host)
			       : strcmp(r->name, host) == 0;
}

bool
screen_counts(const struct screen_rule *r, uint32_t answer)
{
	if (answer >> 24 != 127 || answer == 0x7f000001 ||
	    answer >> 8 == 0x7fffff)
		return false;
	for (unsigned i = 0; i < r->ncodes; i++)
		if (answer >= r->codes[i].first && answer <= r->codes[i].last)
			return true;
	return r->ncodes == 0;
}

/* *.example.net has all that *.a.example.net has. */
static bool
name_covers(const struct screen_rule *a, const struct screen_rule *b)
{
	return strcmp(a->name, b->name) == 0 ||
	    (*a->name == '*' &&
		is_below(a->name, *b->name == '*' ? b->name + 1 : b->name));
}

static bool
has_codes(const struct screen_rule *a, uint32_t first, uint32_t last)
{
	for (unsigned i = 0; i < a->ncodes; i++)
		if (a->codes[i].first <= first && last <= a->codes[i].last)
			return true;
	return false;
}

static bool
codes_cover(const struct screen_rule *a, const struct screen_rule *b)
{
	for (unsigned i = 0; a->ncodes > 0 && i < b->ncodes; i++)
		if (!has_codes(a, b->codes[i].first, b->codes[i].last))
			return false;
	return a->ncodes == 0 || b->ncodes > 0;
}

bool
screen_covers(const struct screen_rule *a, const struct screen_rule *b)
{
	if (a->kind == SCREEN_ANY)
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == SCREEN_NETWORK)
		return net_network_covers(&a->network, &b->network);
	if (a->kind == SCREEN_NAME)
		return name_covers(a, b);
	return strcmp(a->name, b->name) == 0 && codes_cover(a, b);
}

bool
screen_question(const char *ip, const char *zone, char *out, size_t size)
{
	unsigned char raw[16];
	const char *arpa;
	size_t n = 0;

	if (inet_pton(AF_INET, ip, raw) == 1) {
		n = (size_t)snprintf(
		    out, size, "%u.%u.%u.%u.", raw[3], raw[2], raw[1], raw[0]);
		arpa = "in-addr.arpa";
	} else if (inet_pton(AF_INET6, ip, raw) == 1) {
		for (int i = 15; i >= 0 && n < size; i--)
			n += (size_t)snprintf(out + n, size - n, "%x.%x.",
			    raw[i] & 0xf, raw[i] >> 4);
		arpa = "ip6.arpa";
	} else {
		return false;
	}
	if (n >= size)
		return false;
	n += (size_t)snprintf(
	    out + n, size - n, "%s", zone != NULL ? zone : arpa);
	return n < size;
}

const char *
screen_text(const struct screen_rule *r, char out[SCREEN_TEXT])
{
	if (*r->text != '\0')
		snprintf(out, SCREEN_TEXT, "%s", r->text);
	else if (r->action == SCREEN_CERTIFICATE)
		snprintf(out, SCREEN_TEXT,
		    "from your network a login needs a client certificate: ask "
		    "your administrator for one, or use another network");
	else if (r->kind == SCREEN_LIST)
		snprintf(out, SCREEN_TEXT,
		    "your address is listed at %.80s: ask there to be removed, "
		    "or use another network",
		    r->name);
	else
		snprintf(out, SCREEN_TEXT,
		    "no logins from your network: use another one, or ask your "
		    "administrator");
	return out;
}
