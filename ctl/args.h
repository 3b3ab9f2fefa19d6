/*
 * args.h - the words and flags of a command line, read against the table of
 * commands.
 *
 * Flags are long, stand anywhere, take their value as "--flag value" or
 * "--flag=value", and are never abbreviated.  "--" ends them.
 */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct ctl;

struct flag {
	const char *name;  /* without the dashes */
	const char *value; /* what its value is called; NULL: it has none */
	const char *help;  /* one line */
};

/* One row of the table. */
struct command {
	const char *noun;
	const char *verb;         /* NULL: the noun is all of it; two words,
				     "app-password add", with one space */
	const char *words;        /* "ADDRESS", "[ADDRESS]", "ID...", "" */
	const struct flag *flags; /* ends with a NULL name */
	int (*run)(struct ctl *); /* returns the exit status */
	const char *summary;      /* one line */
	const char *details;      /* paragraphs for help and the manual */
};

#define ARGS_FLAGS 16

/*
 *   table    all commands; ends with a NULL noun
 *   common   flags that every command has; ends with a NULL name
 *   command  NULL until words name one
 *   noun     a noun of the table was typed; NULL otherwise
 *   words    borrowed from argv: what stands behind noun and verb
 *   error    what is wrong, in one sentence, with a suggestion if there is one
 */
struct args {
	const struct command *table;
	const struct flag *common;
	const struct command *command;
	const char *noun;
	char **words;
	size_t nwords;
	struct {
		const char *name, *value;
		size_t name_len;
	} given[ARGS_FLAGS];
	size_t ngiven;
	char error[400];
};

/* How many words a command takes, as its row says; *most SIZE_MAX: any. */
void args_count(const char *words, size_t *least, size_t *most);

/*
 * Read a command line, without the program's name.  argv is reordered: words
 * first.
 *
 * False, with the error set, when it cannot be run; as much of the rest is set
 * as was understood.  With --help among the flags nothing is wrong but an
 * unknown flag, noun or verb.
 */
bool args_parse(struct args *, const struct command *table,
    const struct flag *common, int argc, char **argv);

/* The value of a flag, "" for one without; NULL when it was not given. */
const char *args_flag(const struct args *, const char *name);

#endif
