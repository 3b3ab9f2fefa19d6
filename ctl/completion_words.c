/*
 * completion_words.c - see completion_words.h.
 */
#include <string.h>

#include "ctl/completion_words.h"

bool
completion_begins_noun(const struct command *c)
{
	return c == commands || strcmp(c->noun, c[-1].noun) != 0;
}

bool
completion_is_second(const struct command *c)
{
	return c->verb != NULL && strchr(c->verb, ' ') != NULL;
}

bool
completion_same_first(const struct command *a, const struct command *b)
{
	size_t n = strcspn(a->verb, " ");

	return b->verb != NULL && strcmp(a->noun, b->noun) == 0 &&
	    strncmp(a->verb, b->verb, n) == 0 && b->verb[n] == ' ';
}

bool
completion_begins_first(const struct command *c)
{
	return c == commands || !completion_is_second(c) ||
	    !completion_same_first(c, c - 1);
}

const char *
completion_list(const struct command *c)
{
	/* Of "init" it is new, of "check client" it is no account's. */
	if (strstr(c->words, "ADDRESS") != NULL &&
	    strcmp(c->noun, "init") != 0 && strcmp(c->noun, "check") != 0)
		return "account";
	return strstr(c->words, "ID") != NULL ? "queue" : "";
}

/* Flags whose next word is their value. */
static void
put_valued(FILE *f, const struct flag *list, const char *before, bool *first)
{
	for (; list->name != NULL; list++)
		if (list->value != NULL && strcmp(list->name, "config") != 0) {
			fprintf(
			    f, "%s%s%s", *first ? "" : "|", before, list->name);
			*first = false;
		}
}

void
completion_put_valued(FILE *f, const char *before)
{
	bool first = true;

	for (const struct command *c = commands; c->noun != NULL; c++)
		put_valued(f, c->flags, before, &first);
}
