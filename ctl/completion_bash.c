/*
 * completion_bash.c - see completion.h.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/completion.h"
#include "ctl/completion_words.h"

static void
put_flags(FILE *f, const struct flag *list)
{
	for (; list->name != NULL; list++)
		fprintf(f, " --%s", list->name);
}

/* What each operand is: a list to ask for, file, a choice, or "-". */
static void
put_operands(FILE *f, const struct command *c)
{
	const char *word = c->words;
	size_t n;

	fputs(" operands=(", f);
	for (; *word != '\0'; word += n, word += strspn(word, " ")) {
		n = strcspn(word, " ");
		if (memmem(word, n, "FILE", 4) != NULL)
			fputs(" file", f);
		else if (memmem(word, n, "ADDRESS", 7) != NULL ||
		    memmem(word, n, "ID", 2) != NULL)
			fprintf(f, " %s",
			    *completion_list(c) != '\0' ? completion_list(c)
							: "-");
		else if (*word >= 'a' && *word <= 'z')
			fprintf(f, " '%.*s'", (int)n, word);
		else
			fputs(" -", f);
		if (memmem(word, n, "...", 3) != NULL)
			fputs(" more", f);
	}
	fputs(" )", f);
}

/* What may follow the whole name of a command, of so many words. */
static void
put_rest(FILE *f, const struct command *c, int words)
{
	fprintf(f, " n=%d", words);
	put_operands(f, c);
	fputs("\n		after=\"", f);
	put_flags(f, c->flags);
	put_flags(f, common_flags);
	fputs("\" ;;\n", f);
}

/* All that may follow "account app-password", once. */
static void
put_group(FILE *f, const struct command *c)
{
	if (!completion_begins_first(c))
		return;
	fprintf(f, "	\"%s %.*s \") after=\"", c->noun,
	    (int)strcspn(c->verb, " "), c->verb);
	for (const struct command *v = c;
	     v->noun != NULL && completion_same_first(c, v); v++)
		fprintf(f, "%s", strchr(v->verb, ' '));
	fputs("\" ;;\n", f);
}

static void
put_commands(FILE *f)
{
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (completion_is_second(c)) {
			fprintf(f, "	\"%s %s \"*)", c->noun, c->verb);
			put_rest(f, c, 3);
		}
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (completion_is_second(c)) {
			put_group(f, c);
			continue;
		}
		fprintf(f, "	\"%s%s%s \"*)", c->noun,
		    c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "");
		put_rest(f, c, c->verb != NULL ? 2 : 1);
	}
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (c->verb == NULL || !completion_begins_noun(c))
			continue;
		fprintf(f, "	\"%s \") after=\"", c->noun);
		for (const struct command *v = c;
		     v->noun != NULL && strcmp(v->noun, c->noun) == 0; v++)
			if (completion_begins_first(v))
				fprintf(f, " %.*s", (int)strcspn(v->verb, " "),
				    v->verb);
		fputs("\" ;;\n", f);
	}
	fputs("	\" \") after=\"", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (completion_begins_noun(c))
			fprintf(f, " %s", c->noun);
	fputs("\" ;;\n", f);
}

/* The words that are typed.  Readline cuts them at @, = and : as well, and puts
 * a completion behind the last cut, but in place of an @. */
static const char typed_words[] =
    "	local line=$COMP_LINE rest w n=0 i cut= kind= after=\n"
    "	local typed=() words=() operands=() all=() config=()\n"
    "	for (( i = 0; i <= COMP_CWORD; i++ )); do\n"
    "		w=${COMP_WORDS[i]}\n"
    "		rest=${line#\"${line%%[![:space:]]*}\"}\n"
    "		if (( i == 0 )) || [[ $rest != \"$line\" ]]; then\n"
    "			typed+=(\"$w\") cut=\n"
    "		else\n"
    "			cut=${typed[-1]} typed[-1]+=$w\n"
    "		fi\n"
    "		line=${rest#\"$w\"}\n"
    "	done\n"
    "	COMPREPLY=()\n"
    "	(( ${#typed[@]} > 1 )) || return 0\n"
    "	[[ -z ${w//[\"$COMP_WORDBREAKS\"]/} ]] && cut=${typed[-1]}\n"
    "	cut=${cut%@}\n"
    "	for (( i = 1; i < ${#typed[@]} - 1; i++ )); do\n"
    "		case ${typed[i]} in\n"
    "		--config) (( i++ )); config=(--config \"${typed[i]}\") ;;\n"
    "		--config=*) config=(\"${typed[i]}\") ;;\n"
    "		";

/* "account app-password re" has found the group, "account app-password revoke "
 * the command: the names end in a blank. */
static const char offer[] =
    "	esac\n"
    "	w=${typed[-1]} i=$(( ${#words[@]} - n ))\n"
    "	if [[ $w != -* && ${#operands[@]} -gt 0 ]]; then\n"
    "		kind=${operands[i]}\n"
    "		[[ ${operands[-1]} == more && ${kind:-more} == more ]] &&\n"
    "			kind=${operands[-2]}\n"
    "	fi\n"
    "	case $kind in\n"
    "	file) return 0 ;;\n"
    "	account | queue)\n"
    "		mapfile -t all < <(postern \"${config[@]}\" $kind list --plain "
    "2>/dev/null | cut -f1) ;;\n"
    "	*'|'*) IFS='|' read -ra all <<<\"$kind\" ;;\n"
    "	*) read -ra all <<<\"$after\" ;;\n"
    "	esac\n"
    "	# Not by \"compgen -W\": it runs what is in $(...) and `...`, and a "
    "name\n"
    "	# of an account may hold that.\n"
    "	for after in \"${all[@]}\"; do\n"
    "		printf -v rest %q \"$after\"\n"
    "		if [[ $after == \"$w\"* ]]; then\n"
    "			printf -v rest %q \"${after:${#cut}}\"\n"
    "		elif [[ $rest == \"$w\"* ]]; then\n"
    "			rest=${rest:${#cut}}\n"
    "		else\n"
    "			continue\n"
    "		fi\n"
    "		COMPREPLY+=(\"$rest\")\n"
    "	done\n"
    "	return 0\n"
    "}\n"
    "complete -o default -F _postern postern\n";

void
completion_bash(FILE *f)
{
	fputs("_postern()\n{\n", f);
	fputs(typed_words, f);
	completion_put_valued(f, "--");
	fputs(") (( i++ )) ;;\n"
	      "		-*) ;;\n"
	      "		*) words+=(\"${typed[i]}\") ;;\n"
	      "		esac\n"
	      "	done\n"
	      "	(( i == ${#typed[@]} )) && words=(value \"${typed[-2]}\")\n"
	      "	case \"${words[*]} \" in\n"
	      "	\"value --account \") n=2 operands=(account) ;;\n"
	      "	\"value \"*) return 0 ;;\n",
	    f);
	put_commands(f);
	fputs(offer, f);
}
