/*
 * completion_fish.c - see completion.h.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/completion.h"
#include "ctl/completion_words.h"

/* Text as fish has it inside double quotes. */
static void
put_quoted(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text != '\0'; text++) {
		if (strchr("\"$\\", *text) != NULL)
			fputc('\\', f);
		fputc(*text, f);
	}
	fputs("\"\n", f);
}

static void
put_flag(FILE *f, const char *when, const struct flag *o)
{
	fprintf(f, "complete -c postern -n '%s' -l %s%s -d ", when, o->name,
	    o->value != NULL ? " -r" : "");
	put_quoted(f, o->help);
}

/* A word that may follow exactly these. */
static void
put_word(
    FILE *f, const char *behind, const char *word, size_t n, const char *help)
{
	fprintf(f, "complete -c postern -n '__postern_at \"%s\"' -a %.*s -d ",
	    behind, (int)n, word);
	put_quoted(f, help);
}

/* What may follow the whole name of a command, which `in` finds. */
static void
put_rest(FILE *f, const char *in, const struct command *c)
{
	if (*completion_list(c) != '\0')
		fprintf(f,
		    "complete -c postern -n '%s' -a '(postern "
		    "(__postern_config) "
		    "%s list --plain 2>/dev/null | cut -f1)'\n",
		    in, completion_list(c));
	if (strstr(c->words, "FILE") != NULL)
		fprintf(f, "complete -c postern -n '%s' -F\n", in);
	for (const struct flag *o = c->flags; o->name != NULL; o++)
		put_flag(f, in, o);
}

static void
put_command(FILE *f, const struct command *c)
{
	const char *verb = c->verb != NULL ? c->verb : "";
	size_t first = strcspn(verb, " ");
	char behind[100], in[200];

	if (completion_begins_noun(c))
		put_word(f, "", c->noun, strlen(c->noun),
		    c->verb == NULL ? c->summary : "");
	if (c->verb != NULL && completion_begins_first(c))
		put_word(f, c->noun, verb, first,
		    completion_is_second(c) ? "" : c->summary);
	if (completion_is_second(c)) {
		snprintf(behind, sizeof(behind), "%s %.*s", c->noun, (int)first,
		    verb);
		put_word(f, behind, verb + first + 1, strlen(verb) - first - 1,
		    c->summary);
	}
	snprintf(in, sizeof(in), "__postern_in \"%s%s%s\"", c->noun,
	    *verb != '\0' ? " " : "", verb);
	put_rest(f, in, c);
}

void
completion_fish(FILE *f)
{
	fputs("function __postern_words\n"
	      "	set -l words\n"
	      "	set -l skip 0\n"
	      "	for w in (commandline -opc)[2..]\n"
	      "		if test $skip = 1\n"
	      "			set skip 0\n"
	      "		else if string match -qr -- '^--(config|",
	    f);
	completion_put_valued(f, "");
	fputs(")$' \"$w\"\n"
	      "			set skip 1\n"
	      "		else if not string match -q -- '-*' \"$w\"\n"
	      "			set -a words $w\n"
	      "		end\n"
	      "	end\n"
	      "	string join ' ' $words\n"
	      "end\n"
	      "# The server that is meant.\n"
	      "function __postern_config\n"
	      "	set -l words (commandline -opc)\n"
	      "	for i in (seq (count $words))\n"
	      "		switch $words[$i]\n"
	      "		case --config\n"
	      "			set -l next (math $i + 1)\n"
	      "			printf '%s\\n' --config $words[$next]\n"
	      "		case '--config=*'\n"
	      "			echo $words[$i]\n"
	      "		end\n"
	      "	end\n"
	      "end\n"
	      "function __postern_at\n"
	      "	set -l typed (__postern_words)\n"
	      "	test \"$typed\" = \"$argv[1]\"\n"
	      "end\n"
	      "function __postern_in\n"
	      "	set -l typed (__postern_words)\n"
	      "	string match -q -- \"$argv[1] *\" \"$typed \"\n"
	      "end\n"
	      "complete -c postern -f\n",
	    f);
	for (const struct flag *o = common_flags; o->name != NULL; o++)
		put_flag(f, "true", o);
	for (const struct command *c = commands; c->noun != NULL; c++)
		put_command(f, c);
}
