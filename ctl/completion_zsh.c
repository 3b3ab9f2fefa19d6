/*
 * completion_zsh.c - see completion.h.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/completion.h"
#include "ctl/completion_words.h"

/* What stands in single quotes. */
static void
put_quoted(FILE *f, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", f);
		else
			fputc(*text, f);
}

static void
put_item(
    FILE *f, const char *before, const char *name, size_t n, const char *help)
{
	fprintf(f, " '%s%.*s:", before, (int)n, name);
	put_quoted(f, help);
	fputc('\'', f);
}

static void
put_flags(FILE *f, const struct flag *list)
{
	for (; list->name != NULL; list++)
		put_item(f, "--", list->name, strlen(list->name), list->help);
}

static void
put_command(FILE *f, const struct command *c)
{
	fprintf(f, "	'%s %s%s'*)\n		flags=(", c->noun,
	    c->verb != NULL ? c->verb : "", c->verb != NULL ? " " : "");
	put_flags(f, c->flags);
	fprintf(f, ") what=%s ;;\n",
	    strstr(c->words, "FILE") != NULL ? "file" : completion_list(c));
}

/* The words that may follow "noun", or "noun first" when first is not NULL. */
static void
put_verbs(FILE *f, const struct command *c, const char *first, size_t n)
{
	fprintf(f, "	'%s %.*s%s'*)\n		list=(", c->noun, (int)n,
	    first != NULL ? first : "", first != NULL ? " " : "");
	for (const struct command *v = c;
	     v->noun != NULL && strcmp(v->noun, c->noun) == 0; v++) {
		const char *verb = v->verb;

		if (first != NULL &&
		    (strncmp(verb, first, n) != 0 || verb[n] != ' '))
			continue;
		if (first != NULL)
			verb += n + 1;
		else if (!completion_begins_first(v))
			continue;
		put_item(f, "", verb, strcspn(verb, " "), v->summary);
	}
	fputs(") ;;\n", f);
}

void
completion_zsh(FILE *f)
{
	fputs("#compdef postern\n\n_postern()\n{\n"
	      "	local -a plain list flags common config\n"
	      "	local what w n=2\n"
	      "	while (( n < CURRENT )); do\n"
	      "		w=$words[n]\n"
	      "		case $w in\n"
	      "		--config) config=(--config $words[n+1]); (( n++ )) ;;\n"
	      "		--config=*) config=($w) ;;\n"
	      "		--(",
	    f);
	completion_put_valued(f, "");
	fputs(")) (( n++ )) ;;\n		-*) ;;\n		*) "
	      "plain+=($w) ;;\n"
	      "		esac\n		(( n++ ))\n	done\n"
	      "	(( n > CURRENT )) && { _files; return; }\n"
	      "	common=(",
	    f);
	put_flags(f, common_flags);
	fputs(")\n	case \"${(j: :)plain} \" in\n", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		put_command(f, c);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (completion_is_second(c) && completion_begins_first(c))
			put_verbs(f, c, c->verb, strcspn(c->verb, " "));
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (c->verb != NULL && completion_begins_noun(c))
			put_verbs(f, c, NULL, 0);
	fputs("	*)\n		list=(", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (completion_begins_noun(c))
			put_item(f, "", c->noun, strlen(c->noun),
			    c->verb == NULL ? c->summary : "");
	fputs(") ;;\n	esac\n"
	      "	if [[ $PREFIX == -* ]]; then\n"
	      "		_describe -o flag flags -- common\n"
	      "	elif (( $#list )); then\n"
	      "		_describe command list\n"
	      "	elif [[ $what == file ]]; then\n"
	      "		_files\n"
	      "	elif [[ -n $what ]]; then\n"
	      "		list=(${(f)\"$(postern $config $what list --plain "
	      "2>/dev/null | cut -f1)\"})\n"
	      "		compadd -a list\n"
	      "	fi\n}\n\n"
	      "# As a file of $fpath it is run; read by \"source\" it is "
	      "registered.\n"
	      "if [[ $funcstack[1] == _postern ]]; then\n"
	      "	_postern \"$@\"\nelse\n	compdef _postern postern\nfi\n",
	    f);
}
