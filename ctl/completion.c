/*
 * completion.c - see completion.h.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/completion.h"

/* Does this row begin a noun? */
static bool
new_noun(const struct command *c)
{
	return c == commands || strcmp(c->noun, c[-1].noun) != 0;
}

static void
put_flags(FILE *f, const struct flag *list)
{
	for (; list->name != NULL; list++)
		fprintf(f, " --%s", list->name);
}

/* Is its verb two words, the second of which the first one offers? */
static bool
is_second(const struct command *c)
{
	return c->verb != NULL && strchr(c->verb, ' ') != NULL;
}

static bool
same_first(const struct command *a, const struct command *b)
{
	size_t n = strcspn(a->verb, " ");

	return b->verb != NULL && strcmp(a->noun, b->noun) == 0 &&
	    strncmp(a->verb, b->verb, n) == 0 && b->verb[n] == ' ';
}

static bool
new_first(const struct command *c)
{
	return c == commands || !is_second(c) || !same_first(c, c - 1);
}

/* Whose "list" has what this command takes: account, queue, or "". */
static const char *
lists(const struct command *c)
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

static void
put_all_valued(FILE *f, const char *before)
{
	bool first = true;

	for (const struct command *c = commands; c->noun != NULL; c++)
		put_valued(f, c->flags, before, &first);
}

/* What each operand is: a list to ask for, file, a choice, or "-". */
static void
bash_operands(FILE *f, const struct command *c)
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
			fprintf(f, " %s", *lists(c) != '\0' ? lists(c) : "-");
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
bash_rest(FILE *f, const struct command *c, int words)
{
	fprintf(f, " n=%d", words);
	bash_operands(f, c);
	fputs("\n		after=\"", f);
	put_flags(f, c->flags);
	put_flags(f, common_flags);
	fputs("\" ;;\n", f);
}

/* All that may follow "account app-password", once. */
static void
bash_group(FILE *f, const struct command *c)
{
	if (!new_first(c))
		return;
	fprintf(f, "	\"%s %.*s \") after=\"", c->noun,
	    (int)strcspn(c->verb, " "), c->verb);
	for (const struct command *v = c; v->noun != NULL && same_first(c, v);
	     v++)
		fprintf(f, "%s", strchr(v->verb, ' '));
	fputs("\" ;;\n", f);
}

static void
bash_commands(FILE *f)
{
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (is_second(c)) {
			fprintf(f, "	\"%s %s \"*)", c->noun, c->verb);
			bash_rest(f, c, 3);
		}
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (is_second(c)) {
			bash_group(f, c);
			continue;
		}
		fprintf(f, "	\"%s%s%s \"*)", c->noun,
		    c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "");
		bash_rest(f, c, c->verb != NULL ? 2 : 1);
	}
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (c->verb == NULL || !new_noun(c))
			continue;
		fprintf(f, "	\"%s \") after=\"", c->noun);
		for (const struct command *v = c;
		     v->noun != NULL && strcmp(v->noun, c->noun) == 0; v++)
			if (new_first(v))
				fprintf(f, " %.*s", (int)strcspn(v->verb, " "),
				    v->verb);
		fputs("\" ;;\n", f);
	}
	fputs("	\" \") after=\"", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (new_noun(c))
			fprintf(f, " %s", c->noun);
	fputs("\" ;;\n", f);
}

/* The words that are typed.  Readline cuts them at @, = and : as well, and puts
 * a completion behind the last cut, but in place of an @. */
static const char bash_words[] =
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
    "	[[ -z ${w//[\"$COMP_WORDBREAKS\"]/} ]] && cut=${typed[-1]}\n"
    "	cut=${cut%@}\n"
    "	for (( i = 1; i < ${#typed[@]} - 1; i++ )); do\n"
    "		case ${typed[i]} in\n"
    "		--config) (( i++ )); config=(--config \"${typed[i]}\") ;;\n"
    "		--config=*) config=(\"${typed[i]}\") ;;\n"
    "		";

/* "account app-password re" has found the group, "account app-password revoke "
 * the command: the names end in a blank. */
static const char bash_offer[] =
    "	esac\n"
    "	(( ${#typed[@]} > 1 )) || return 0\n"
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

static void
bash(FILE *f)
{
	fputs("_postern()\n{\n", f);
	fputs(bash_words, f);
	put_all_valued(f, "--");
	fputs(") (( i++ )) ;;\n"
	      "		-*) ;;\n"
	      "		*) words+=(\"${typed[i]}\") ;;\n"
	      "		esac\n"
	      "	done\n"
	      "	COMPREPLY=()\n"
	      "	(( i == ${#typed[@]} )) && words=(value \"${typed[-2]}\")\n"
	      "	case \"${words[*]} \" in\n"
	      "	\"value --account \") n=2 operands=(account) ;;\n"
	      "	\"value \"*) return 0 ;;\n",
	    f);
	bash_commands(f);
	fputs(bash_offer, f);
}

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
zsh_item(
    FILE *f, const char *before, const char *name, size_t n, const char *help)
{
	fprintf(f, " '%s%.*s:", before, (int)n, name);
	put_quoted(f, help);
	fputc('\'', f);
}

static void
zsh_flags(FILE *f, const struct flag *list)
{
	for (; list->name != NULL; list++)
		zsh_item(f, "--", list->name, strlen(list->name), list->help);
}

static void
zsh_command(FILE *f, const struct command *c)
{
	fprintf(f, "	'%s %s%s'*)\n		flags=(", c->noun,
	    c->verb != NULL ? c->verb : "", c->verb != NULL ? " " : "");
	zsh_flags(f, c->flags);
	fprintf(f, ") what=%s ;;\n",
	    strstr(c->words, "FILE") != NULL ? "file" : lists(c));
}

/* The words that may follow "noun", or "noun first" when first is not NULL. */
static void
zsh_verbs(FILE *f, const struct command *c, const char *first, size_t n)
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
		else if (!new_first(v))
			continue;
		zsh_item(f, "", verb, strcspn(verb, " "), v->summary);
	}
	fputs(") ;;\n", f);
}

static void
zsh(FILE *f)
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
	put_all_valued(f, "");
	fputs(")) (( n++ )) ;;\n		-*) ;;\n		*) "
	      "plain+=($w) ;;\n"
	      "		esac\n		(( n++ ))\n	done\n"
	      "	(( n > CURRENT )) && { _files; return; }\n"
	      "	common=(",
	    f);
	zsh_flags(f, common_flags);
	fputs(")\n	case \"${(j: :)plain} \" in\n", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		zsh_command(f, c);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (is_second(c) && new_first(c))
			zsh_verbs(f, c, c->verb, strcspn(c->verb, " "));
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (c->verb != NULL && new_noun(c))
			zsh_verbs(f, c, NULL, 0);
	fputs("	*)\n		list=(", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (new_noun(c))
			zsh_item(f, "", c->noun, strlen(c->noun),
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

static void
fish_flag(FILE *f, const char *when, const struct flag *o)
{
	fprintf(f, "complete -c postern -n '%s' -l %s%s -d \"", when, o->name,
	    o->value != NULL ? " -r" : "");
	for (const char *p = o->help; *p != '\0'; p++) {
		if (*p == '"')
			fputc('\\', f);
		fputc(*p, f);
	}
	fputs("\"\n", f);
}

/* A word that may follow exactly these. */
static void
fish_word(
    FILE *f, const char *behind, const char *word, size_t n, const char *help)
{
	fprintf(f,
	    "complete -c postern -n '__postern_at \"%s\"' -a %.*s -d \"%s\"\n",
	    behind, (int)n, word, help);
}

/* What may follow the whole name of a command, which `in` finds. */
static void
fish_rest(FILE *f, const char *in, const struct command *c)
{
	if (*lists(c) != '\0')
		fprintf(f,
		    "complete -c postern -n '%s' -a '(postern "
		    "(__postern_config) "
		    "%s list --plain 2>/dev/null | cut -f1)'\n",
		    in, lists(c));
	if (strstr(c->words, "FILE") != NULL)
		fprintf(f, "complete -c postern -n '%s' -F\n", in);
	for (const struct flag *o = c->flags; o->name != NULL; o++)
		fish_flag(f, in, o);
}

static void
fish_command(FILE *f, const struct command *c)
{
	const char *verb = c->verb != NULL ? c->verb : "";
	size_t first = strcspn(verb, " ");
	char behind[100], in[200];

	if (new_noun(c))
		fish_word(f, "", c->noun, strlen(c->noun),
		    c->verb == NULL ? c->summary : "");
	if (c->verb != NULL && new_first(c))
		fish_word(
		    f, c->noun, verb, first, is_second(c) ? "" : c->summary);
	if (is_second(c)) {
		snprintf(behind, sizeof(behind), "%s %.*s", c->noun, (int)first,
		    verb);
		fish_word(f, behind, verb + first + 1, strlen(verb) - first - 1,
		    c->summary);
	}
	snprintf(in, sizeof(in), "__postern_in \"%s%s%s\"", c->noun,
	    *verb != '\0' ? " " : "", verb);
	fish_rest(f, in, c);
}

static void
fish(FILE *f)
{
	fputs("function __postern_words\n"
	      "	set -l words\n"
	      "	set -l skip 0\n"
	      "	for w in (commandline -opc)[2..]\n"
	      "		if test $skip = 1\n"
	      "			set skip 0\n"
	      "		else if string match -qr -- '^--(config|",
	    f);
	put_all_valued(f, "");
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
		fish_flag(f, "true", o);
	for (const struct command *c = commands; c->noun != NULL; c++)
		fish_command(f, c);
}

bool
completion_print(FILE *f, const char *shell)
{
	static const struct {
		const char *name;
		void (*print)(FILE *);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(f);
			return true;
		}
	return false;
}
