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

/* All that may follow "account app-password", once. */
static void
bash_group(FILE *f, const struct command *c)
{
	if (!new_first(c))
		return;
	fprintf(f, "	\"%s %.*s\") after=\"", c->noun,
	    (int)strcspn(c->verb, " "), c->verb);
	for (const struct command *v = c; v->noun != NULL && same_first(c, v);
	     v++) {
		fprintf(f, "%s", strchr(v->verb, ' '));
		put_flags(f, v->flags);
	}
	put_flags(f, common_flags);
	fputs("\" w=account ;;\n", f);
}

/* The script's functions know the words by "noun" or "noun verb". */
static void
bash(FILE *f)
{
	fputs("_postern()\n{\n"
	      "	local word=${COMP_WORDS[COMP_CWORD]} words=() w after\n"
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
		if (strstr(c->words, "ADDRESS") != NULL &&
		    strcmp(c->noun, "init") != 0)
			fputs(" w=account", f);
		else if (strstr(c->words, "ID") != NULL)
			fputs(" w=queue", f);
		else
			fputs(" w=", f);
		fputs(" ;;\n", f);
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
	      "	if [[ -n $w && $word != -* ]]; then\n"
	      "		after=$(postern $w list --plain 2>/dev/null | cut "
	      "-f1)\n"
	      "	fi\n"
	      "	COMPREPLY=($(compgen -W \"$after\" -- \"$word\"))\n"
	      "}\n"
	      "complete -o default -F _postern postern\n",
	    f);
}

static void
zsh(FILE *f)
{
	fputs("autoload -U +X bashcompinit && bashcompinit\n", f);
	bash(f);
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

static void
fish(FILE *f)
{
	char when[200];

	fputs("complete -c postern -f\n", f);
	for (const struct flag *o = common_flags; o->name != NULL; o++)
		fish_flag(f, "true", o);
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (new_noun(c))
			fprintf(f,
			    "complete -c postern -n __fish_use_subcommand -a "
			    "%s%s%s%s\n",
			    c->noun, c->verb == NULL ? " -d \"" : "",
			    c->verb == NULL ? c->summary : "",
			    c->verb == NULL ? "\"" : "");
		snprintf(when, sizeof(when), "__fish_seen_subcommand_from %s",
		    c->noun);
		if (is_second(c) && new_first(c))
			fprintf(f, "complete -c postern -n '%s' -a %.*s\n",
			    when, (int)strcspn(c->verb, " "), c->verb);
		if (is_second(c))
			snprintf(when, sizeof(when),
			    "__fish_seen_subcommand_from %.*s",
			    (int)strcspn(c->verb, " "), c->verb);
		if (c->verb != NULL) {
			const char *last = strrchr(c->verb, ' ');

			last = last != NULL ? last + 1 : c->verb;
			fprintf(f,
			    "complete -c postern -n '%s' -a %s -d \"%s\"\n",
			    when, last, c->summary);
			snprintf(when, sizeof(when),
			    "__fish_seen_subcommand_from %s; and "
			    "__fish_seen_subcommand_from %s",
			    c->noun, last);
		}
		for (const struct flag *o = c->flags; o->name != NULL; o++)
			fish_flag(f, when, o);
	}
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
