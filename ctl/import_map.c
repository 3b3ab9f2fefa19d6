/*
 * import_map.c - aliases(5) and Postfix's tables: an address, and the logins
 * it belongs to; a line that begins with a blank goes on with the last one.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/import.h"

#define BLANKS " \t"

/* A program, a file, a list of more: nobody who could log in. */
static bool
is_login(const char *item)
{
	return strchr("|/:\"", item[0]) == NULL;
}

/* The next item of *list, which ends at a comma or a blank outside of quotes
 * ("|/usr/bin/vacation alice"); NULL at the end. */
static char *
next(char **list)
{
	char *item = *list + strspn(*list, ", \t"), *p = item;

	for (bool quoted = false;
	     *p != '\0' && (quoted || strchr(", \t", *p) == NULL); p++)
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && p[1] != '\0')
			p++;
	*list = p;
	if (*p != '\0')
		*(*list)++ = '\0';
	return item[0] != '\0' ? item : NULL;
}

static bool
take_logins(struct import *im, char *list)
{
	char login[ADDR_SIZE], *item;

	while ((item = next(&list)) != NULL) {
		if (item[0] == '#')
			break;
		/* sendmail's "not through the aliases again" */
		if (item[0] == '\\')
			item++;
		if (!is_login(item)) {
			im->left_out++;
			continue;
		}
		if (!import_login(im, item, login) ||
		    !import_grant(im, login, im->key))
			return false;
		im->accounts++;
	}
	return true;
}

/* Cut the left side off: where the right one begins. */
static char *
take_key(struct import *im, char *line)
{
	bool colon = im->format == IMPORT_ALIASES;
	char *end = line[0] == '"' ? strchr(line + 1, '"') : NULL;

	end = strpbrk(end != NULL ? end : line, colon ? ":" : BLANKS);
	if (end == NULL)
		return NULL;
	*end++ = '\0';
	line[strcspn(line, BLANKS)] = '\0';
	if (strlen(line) >= sizeof(im->key))
		return NULL;
	strcpy(im->key, line);
	return end;
}

bool
import_map(struct import *im, char *line, size_t n)
{
	char *right;

	(void)n;
	if (strchr(BLANKS, line[0]) != NULL) {
		if (im->key[0] == '\0')
			return import_fail(im, "goes on with no line");
		return take_logins(im, line);
	}
	if (im->format == IMPORT_MAP && line[0] == '/')
		return import_fail(im, "a regular expression is no address");
	right = take_key(im, line);
	if (right == NULL)
		return import_fail(im, "not \"%s\"",
		    im->format == IMPORT_ALIASES ? "name: login"
						 : "address login");
	return take_logins(im, right);
}
