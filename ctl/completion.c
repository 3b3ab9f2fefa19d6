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
	if (strstr(c->words, "ADDRESS") != NULL && strcmp(c->noun, "init") != 0)
		return "account";
	return strstr(c->words, "ID") != NULL ? "queue" : "";
}

/* All that may follow "account app-password", once. */
static void
bash_group(FILE *f, const struct command *c)
{
	if (!new_first(c))
		return;
	fprintf(f, "	\"%s %.*s\")\n		w= after=\"", c->noun,
	    (int)strcspn(c->verb, " "), c->verb);
	for (const struct command *v = c; v->noun != NULL && same_first(c, v);
	     v++)
		fprintf(f, "%s", strchr(v->verb, ' '));
	fputs("\"\n		(( ${#words[@]} > 2 )) && w=account after=\"",
	    f);
	for (const struct command *v = c; v->noun != NULL && same_first(c, v);
	     v++)
		put_flags(f, v->flags);
	put_flags(f, common_flags);
	fputs("\" ;;\n", f);
}

/* The script's functions know the words by "noun" or "noun verb". */
static void
bash(FILE *f)
{
	fputs("_postern()\n{\n"
	      "	local word=${COMP_WORDS[COMP_CWORD]} words=() all=() w after\n"
	      "	for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	      "		[[ $w == -* ]] || words+=(\"$w\")\n"
	      "	done\n"
	      "	case \"${words[*]:0:2}\" in\n",
	    f);
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (is_second(c)) {
			bash_group(f, c);
			continue;
		}
		fprintf(f, "	\"%s%s%s\"%s) after=\"", c->noun,
		    c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "",
		    c->verb == NULL ? "*" : "");
		put_flags(f, c->flags);
		put_flags(f, common_flags);
		fputs("\"", f);
		fprintf(f, " w=%s ;;\n", lists(c));
	}
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (c->verb == NULL || !new_noun(c))
			continue;
		fprintf(f, "	%s) w= after=\"", c->noun);
		for (const struct command *v = c;
		     v->noun != NULL && strcmp(v->noun, c->noun) == 0; v++)
			if (new_first(v))
				fprintf(f, " %.*s", (int)strcspn(v->verb, " "),
				    v->verb);
		fputs("\" ;;\n", f);
	}
	fputs("	*) w= after=\"", f);
	for (const struct command *c = commands; c->noun != NULL; c++)
		if (new_noun(c))
			fprintf(f, " %s", c->noun);
	fputs("\" ;;\n	esac\n"
	      "	read -ra all <<<\"$after\"\n"
	      "	if [[ -n $w && $word != -* ]]; then\n"
	      "		mapfile -t all < <(postern $w list --plain "
	      "2>/dev/null | cut -f1)\n"
	      "	fi\n"
	      "	# Not by \"compgen -W\": it runs what is in $(...) and `...`, "
	      "and a name\n"
	      "	# of an account may hold that.\n"
	      "	COMPREPLY=()\n"
	      "	for after in \"${all[@]}\"; do\n"
	      "		printf -v w %q \"$after\"\n"
	      "		[[ $after == \"$word\"* || $w == \"$word\"* ]] &&\n"
	      "			COMPREPLY+=(\"$w\")\n"
	      "	done\n"
	      "	return 0\n"
	      "}\n"
	      "complete -o default -F _postern postern\n",
	    f);
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

/* Flags whose next word is their value. */
static void
zsh_valued(FILE *f, const struct flag *list, bool *first)
{
	for (; list->name != NULL; list++)
		if (list->value != NULL) {
			fprintf(f, "%s%s", *first ? "" : "|", list->name);
			*first = false;
		}
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
	bool first = true;

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
	for (const struct command *c = commands; c->noun != NULL; c++)
		zsh_valued(f, c->flags, &first);
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
		    "complete -c postern -n '%s' -a '(postern %s list --plain "
		    "2>/dev/null | cut -f1)'\n",
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
	      "	string match -v -- '-*' (commandline -opc)[2..] | "
	      "string join ' '\n"
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
