/*
 * admin_say.c - see admin_say.h.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/admin_say.h"
#include "auth/t_credential.h"
#include "lib/shell.h"

#define VALUE 400

const char *
admin_date(uint64_t seconds, char out[24])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	strftime(out, 24, "%Y-%m-%d %H:%M UTC", gmtime_r(&t, &tm));
	return out;
}

static void
text(char out[VALUE], const char *s)
{
	snprintf(out, VALUE, "%s", s == NULL ? "" : s);
}

static void
account(char out[VALUE], const struct change *c)
{
	text(out, c->login);
}

static void
address(char out[VALUE], const struct change *c)
{
	text(out, c->address);
}

static void
label(char out[VALUE], const struct change *c)
{
	text(out, c->label);
}

static void
owner(char out[VALUE], const struct change *c)
{
	text(out, c->owner);
}

static void
grants(char out[VALUE], const struct change *c)
{
	(void)c;
	snprintf(out, VALUE, "%d", GRANTS_MAX);
}

static void
credentials(char out[VALUE], const struct change *c)
{
	(void)c;
	snprintf(out, VALUE, "%d", CREDENTIALS_MAX);
}

static void
added(char out[VALUE], const struct change *c)
{
	text(out, c->account.state == ACC_REMOVED ? "brought back" : "added");
}

static void
dumb(char out[VALUE], const struct change *c)
{
	text(out,
	    c->hash[0] == '\0' ? " without a password: it cannot log in" : "");
}

static void
since(char out[VALUE], const struct change *c)
{
	admin_date(c->account.since, out);
}

static void
by(char out[VALUE], const struct change *c)
{
	text(out, c->account.by);
}

static void
reason(char out[VALUE], const struct change *c)
{
	text(out, c->account.reason);
}

static const struct {
	const char *name;
	void (*print)(char out[VALUE], const struct change *);
} fields[] = {
	{ "account", account },
	{ "address", address },
	{ "label", label },
	{ "owner", owner },
	{ "grants", grants },
	{ "credentials", credentials },
	{ "added", added },
	{ "dumb", dumb },
	{ "since", since },
	{ "by", by },
	{ "reason", reason },
};

static void
print(char out[VALUE], const char *name, size_t n, const struct change *c)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == n &&
		    memcmp(fields[i].name, name, n) == 0) {
			fields[i].print(out, c);
			return;
		}
	assert(!"a field that there is");
}

const char *
admin_say(char *out, size_t size, const char *t, const struct change *c)
{
	char value[VALUE], word[SHELL_SIZE(VALUE)];
	size_t len = 0, n;
	bool is_word;

	assert(t != NULL && size > 0);
	out[0] = '\0';
	while (*t != '\0' && len < size) {
		n = strcspn(t, "{");
		len +=
		    (size_t)snprintf(out + len, size - len, "%.*s", (int)n, t);
		t += n;
		if (*t == '\0' || len >= size)
			break;
		is_word = *++t == '$';
		t += is_word;
		n = strcspn(t, "}");
		print(value, t, n, c);
		len += (size_t)snprintf(out + len, size - len, "%s",
		    is_word ? shell_word(word, sizeof(word), value) : value);
		t += n + 1;
	}
	return out;
}
