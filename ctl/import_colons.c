/*
 * import_colons.c - shadow(5), htpasswd and Dovecot's passwd-file: the name,
 * the password, and what each has behind them.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/import.h"

#define FIELDS 9

/* Cut at colons; the last field keeps those that are left. */
static size_t
cut(char *line, char *fields[FIELDS], size_t most)
{
	size_t n = 0;

	while (n < most) {
		fields[n++] = line;
		line = strchr(line, ':');
		if (line == NULL || n == most)
			break;
		*line++ = '\0';
	}
	return n;
}

/* shadow(5): the day on which the account expires. */
static bool
has_expired(const struct import *im, const char *day)
{
	char *rest;
	long long n = strtoll(day, &rest, 10);

	return *day != '\0' && *rest == '\0' && n >= 0 && n <= im->today;
}

/* Of passwd-file: "user:pw:uid:gid:gecos:home:shell:extra extra". */
static bool
has_nologin(const char *extra)
{
	for (;;) {
		size_t n = strcspn(extra, " \t");

		if ((n == 7 || (n > 7 && extra[7] == '=')) &&
		    strncmp(extra, "nologin", 7) == 0)
			return true;
		if (extra[n] == '\0')
			return false;
		extra += n + 1;
	}
}

bool
import_colons(struct import *im, char *line, size_t n)
{
	bool shadow = im->format == IMPORT_SHADOW, locked = false;
	char *fields[FIELDS], login[ADDR_SIZE];
	size_t nfields;

	(void)n;
	nfields = cut(line, fields, shadow ? FIELDS : FIELDS - 1);
	if (nfields < 2)
		return import_fail(im, "no colon behind the name");
	if (shadow && nfields > 7)
		locked = has_expired(im, fields[7]);
	else if (nfields > 7)
		locked = has_nologin(fields[7]);
	/* Who has no password needs no good name either. */
	if (fields[1][strspn(fields[1], "!*x")] == '\0') {
		im->left_out++;
		im->shadowed += strcmp(fields[1], "x") == 0;
		return true;
	}
	return import_login(im, fields[0], login) &&
	    import_account(im, login, fields[1], locked);
}
