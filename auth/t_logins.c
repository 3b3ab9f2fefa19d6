/*
 * t_logins.c - see t_logins.h.
 *
 * A row is text, one line for each login, the oldest first: "time ip mech why
 * label", with "-" for a good one.  logins_add() overwrites.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/t_logins.h"

#define TEXT_MAX 1800

struct logins {
	char text[TEXT_MAX];
};

static const struct field fields[] = {
	F_STR(logins, text),
	F_END,
};

static struct bytes
key_of(const char *login)
{
	return (struct bytes){ (const uint8_t *)login, strlen(login) };
}

static bool
get(struct txn *txn, const char *login, struct logins *l)
{
	return store_get(
	    txn, TABLE_LOGINS, key_of(login), fields, l, sizeof(*l));
}

void
logins_add(struct txn *txn, const char *login, const struct login_entry *e)
{
	struct logins l;
	char line[256];
	size_t n, len;

	if (!get(txn, login, &l))
		l.text[0] = '\0';
	n = (size_t)snprintf(line, sizeof(line),
	    "%" PRIu64 " %.45s %.19s %.23s %.63s\n", e->time, e->ip, e->mech,
	    e->why[0] != '\0' ? e->why : "-", e->label);
	while ((len = strlen(l.text)) + n >= sizeof(l.text)) {
		char *rest = strchr(l.text, '\n');

		memmove(l.text, rest + 1, strlen(rest + 1) + 1);
	}
	memcpy(l.text + len, line, n + 1);
	store_put(txn, TABLE_LOGINS, key_of(login), fields, &l);
}

/* Cut the next word off. */
static char *
cut(char **at)
{
	char *word = *at;

	*at += strcspn(word, " ");
	if (**at != '\0')
		*(*at)++ = '\0';
	return word;
}

bool
logins_get(struct txn *txn, const char *login, unsigned n,
    char buf[STORE_ROW_MAX], struct login_entry *e)
{
	struct logins l;
	char *line = l.text, *at;
	size_t len;

	if (!get(txn, login, &l))
		return false;
	for (len = strlen(l.text); len > 0; n--) {
		l.text[--len] = '\0';
		line = strrchr(l.text, '\n');
		line = line == NULL ? l.text : line + 1;
		if (n == 0)
			break;
		len = (size_t)(line - l.text);
	}
	if (len == 0)
		return false;
	strcpy(buf, line);
	at = buf;
	e->time = strtoull(cut(&at), NULL, 10);
	e->ip = cut(&at);
	e->mech = cut(&at);
	e->why = cut(&at);
	if (strcmp(e->why, "-") == 0)
		e->why = "";
	e->label = at;
	return true;
}

void
logins_del(struct txn *txn, const char *login)
{
	store_del(txn, TABLE_LOGINS, key_of(login));
}
