/*
 * dns_check.c - see dns_check.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/dns_check.h"
#include "ctl/spf.h"
#include "lib/code.h"

const char *
check_name(enum check_result r)
{
	static const char *const names[] = {
		[CHECK_OK] = "ok",
		[CHECK_MISSING] = "missing",
		[CHECK_DIFFERS] = "differs",
		[CHECK_LISTED] = "listed",
		[CHECK_UNKNOWN] = "no answer",
	};

	return names[r];
}

/* All that was found, in one line. */
static void
list_found(struct check *c, const struct found *f)
{
	size_t n = 0;

	c->have[0] = '\0';
	for (size_t i = 0; i < f->n && n < sizeof(c->have); i++)
		n += (size_t)snprintf(c->have + n, sizeof(c->have) - n, "%s%s",
		    i > 0 ? " | " : "", f->texts[i]);
}

static bool
unanswered(const struct found *f)
{
	return f->result == DNS_BOGUS || f->result == DNS_FAILED;
}

/* A name with a dot at its end is the one without. */
static bool
same_name(const char *have, const char *want)
{
	size_t n = strlen(want);

	n -= n > 0 && want[n - 1] == '.';
	return strlen(have) == n && strncasecmp(have, want, n) == 0;
}

/* Is one of the records what is wanted? */
static void
check_exact(const struct wish *w, const struct found *f, struct check *c)
{
	for (size_t i = 0; i < f->n; i++)
		if (same_name(f->texts[i], w->value))
			return;
	c->result = f->n > 0 ? CHECK_DIFFERS : CHECK_MISSING;
	list_found(c, f);
}

static void
check_any(const struct found *f, struct check *c)
{
	if (f->n == 0)
		c->result = CHECK_MISSING;
}

/* TXT: just one record that begins with this word, up to its ";". */
static void
check_version(const struct wish *w, const struct found *f, struct check *c)
{
	size_t len = strcspn(w->value, ";");
	const char *seen = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (strncasecmp(f->texts[i], w->value, len) == 0) {
			seen = f->texts[i];
			n++;
		}
	if (n == 1 && (w->kind != WISH_DMARC || strstr(seen, "p=") != NULL))
		return;
	c->result = n == 0 ? CHECK_MISSING : CHECK_DIFFERS;
	if (n > 0)
		list_found(c, f);
}

static void
check_dkim(const struct wish *w, const struct found *f, struct check *c)
{
	static const enum check_result results[] = {
		[DKIM_SHOWN] = CHECK_OK,
		[DKIM_MISSING] = CHECK_MISSING,
		[DKIM_DIFFERS] = CHECK_DIFFERS,
		[DKIM_UNKNOWN] = CHECK_UNKNOWN,
	};

	if (w->key.selector[0] == '\0') {
		c->result = CHECK_MISSING;
		return;
	}
	c->result = results[dkim_compare(&w->key, f)];
	if (c->result == CHECK_DIFFERS)
		list_found(c, f);
}

/* Block lists answer 127.0.0.x; 127.255.255.x says "not to you" (RFC 5782,
 * Spamhaus). */
static void
check_listed(const struct found *f, struct check *c)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strncmp(f->texts[i], "127.255.", 8) == 0)
			c->result = CHECK_UNKNOWN;
		else if (strncmp(f->texts[i], "127.", 4) == 0)
			c->result = CHECK_LISTED;
	}
	if (c->result == CHECK_LISTED)
		list_found(c, f);
	else if (c->result == CHECK_UNKNOWN)
		snprintf(c->have, sizeof(c->have),
		    "the list does not answer this resolver");
}

static void
check_spf(struct lookup *l, const struct wish *w, const struct addresses *a,
    const struct found *f, struct check *c)
{
	static const char *const why[] = {
		[SPF_NONE] = "",
		[SPF_PASS] = "",
		[SPF_FAIL] = "",
		[SPF_SEVERAL] = "two records: receivers take neither",
		[SPF_DEEP] = "needs over ten lookups: receivers give up",
		[SPF_UNKNOWN] = "",
	};
	struct found v = { .n = 0 };

	for (size_t i = 0; i < a->n && c->result == CHECK_OK; i++) {
		enum spf s = spf_check(l, w->name, a->list[i]);

		if (s == SPF_PASS)
			continue;
		c->result = s == SPF_NONE ? CHECK_MISSING
		    : s == SPF_UNKNOWN    ? CHECK_UNKNOWN
					  : CHECK_DIFFERS;
		if (s == SPF_FAIL)
			snprintf(c->have, sizeof(c->have),
			    "does not let %s send", a->list[i]);
		else
			snprintf(c->have, sizeof(c->have), "%s", why[s]);
	}
	/* Without addresses of ours all that can be told is whether there is
	 * one. */
	for (size_t i = 0; a->n == 0 && i < f->n; i++)
		if (strncasecmp(f->texts[i], "v=spf1", 6) == 0)
			v.n++;
	if (a->n == 0 && v.n != 1)
		c->result = v.n == 0 ? CHECK_MISSING : CHECK_DIFFERS;
}

static unsigned
type_of(const struct wish *w)
{
	static const struct {
		const char *name;
		unsigned type;
	} types[] = { { "A", TYPE_A }, { "AAAA", TYPE_AAAA }, { "MX", TYPE_MX },
		{ "TXT", TYPE_TXT }, { "SRV", TYPE_SRV }, { "PTR", TYPE_PTR },
		{ "CNAME", TYPE_A } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, w->type) == 0)
			return types[i].type;
	return TYPE_TXT;
}

void
check_wish(struct lookup *l, const struct wish *w, const struct addresses *a,
    struct check *c)
{
	struct found f;

	memset(c, 0, sizeof(*c));
	if (lookup_ask(l, w->name, type_of(w), &f) != CODE_OK ||
	    unanswered(&f)) {
		c->result = CHECK_UNKNOWN;
		found_clear(&f);
		return;
	}
	switch (w->kind) {
	case WISH_ADDRESS:
	case WISH_MX:
	case WISH_CNAME: /* or an address of its own: the name works */
		check_any(&f, c);
		break;
	case WISH_PTR:
	case WISH_SRV:
		check_exact(w, &f, c);
		break;
	case WISH_SPF:
		check_spf(l, w, a, &f, c);
		break;
	case WISH_DKIM:
		check_dkim(w, &f, c);
		break;
	case WISH_DMARC:
	case WISH_TXT:
		check_version(w, &f, c);
		break;
	case WISH_UNLISTED:
		check_listed(&f, c);
		break;
	}
	found_clear(&f);
}
