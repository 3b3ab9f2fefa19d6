/*
 * args.c - see args.h.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/synonym.h"
#include "lib/suggest.h"

static const struct flag *
find_flag(const struct flag *flags, const char *name, size_t n)
{
	for (const struct flag *f = flags; f->name != NULL; f++)
		if (strlen(f->name) == n && memcmp(f->name, name, n) == 0)
			return f;
	return NULL;
}

static bool wrong(struct args *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Set the error; false. */
static bool
wrong(struct args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
	return false;
}

/* A flag means the same to every command that has it, so that its value can
 * be told from a word before the command is known. */
static const struct flag *
find_flag_anywhere(const struct args *a, const char *name, size_t n)
{
	const struct flag *f = find_flag(a->common, name, n);

	for (const struct command *c = a->table; f == NULL && c->noun != NULL;
	     c++)
		f = find_flag(c->flags, name, n);
	return f;
}

static void
offer_flags(struct suggest *s, const struct flag *flags)
{
	for (const struct flag *f = flags; f->name != NULL; f++)
		suggest_offer(s, f->name);
}

static bool
unknown_flag(struct args *a, const char *name, size_t n)
{
	char typed[SUGGEST_MAX];
	struct suggest s;

	snprintf(typed, sizeof(typed), "%.*s", (int)n, name);
	suggest_init(&s, typed);
	offer_flags(&s, a->common);
	for (const struct command *c = a->table; c->noun != NULL; c++)
		if (a->command == NULL || a->command == c)
			offer_flags(&s, c->flags);
	if (s.best != NULL)
		return wrong(
		    a, "unknown flag --%s; did you mean --%s?", typed, s.best);
	return wrong(a, "unknown flag --%s", typed);
}

static bool
keep_flag(struct args *a, const char *name, size_t n, const char *value)
{
	for (size_t k = 0; k < a->ngiven; k++)
		if (a->given[k].name_len == n &&
		    memcmp(a->given[k].name, name, n) == 0)
			return wrong(a, "--%.*s is there twice", (int)n, name);
	if (a->ngiven == ARGS_FLAGS)
		return wrong(a, "too many flags");
	a->given[a->ngiven].name = name;
	a->given[a->ngiven].name_len = n;
	a->given[a->ngiven].value = value;
	a->ngiven++;
	return true;
}

/* Take the flag at argv[*i] and move *i past it and its value. */
static bool
take_flag(struct args *a, int argc, char **argv, int *i)
{
	const char *name = argv[(*i)++] + 2, *sign = strchr(name, '=');
	size_t n = sign != NULL ? (size_t)(sign - name) : strlen(name);
	const struct flag *f = find_flag_anywhere(a, name, n);
	const char *value = sign != NULL ? sign + 1 : "";

	/* One that nobody knows is told later, when the command is known. */
	if (f == NULL)
		return keep_flag(a, name, n, value);
	if (f->value == NULL)
		return sign != NULL ? wrong(a, "--%s takes no value", f->name)
				    : keep_flag(a, name, n, value);
	if (sign == NULL && *i < argc)
		value = argv[(*i)++];
	if (*value == '\0')
		return wrong(a, "--%s needs a value: --%s %s", f->name, f->name,
		    f->value);
	return keep_flag(a, name, n, value);
}

/* Sort argv into flags and words, up to the first error. */
static bool
sort(struct args *a, int argc, char **argv)
{
	bool flags = true;
	int i = 0;

	a->words = argv;
	while (i < argc) {
		if (!flags || argv[i][0] != '-' || argv[i][1] == '\0') {
			a->words[a->nwords++] = argv[i++];
		} else if (strcmp(argv[i], "--") == 0) {
			flags = false;
			i++;
		} else if (strcmp(argv[i], "-h") == 0) {
			if (!keep_flag(a, "help", 4, ""))
				return false;
			i++;
		} else if (argv[i][1] != '-') {
			return wrong(a,
			    "unknown flag %.*s; flags are written in full",
			    SUGGEST_MAX, argv[i]);
		} else if (!take_flag(a, argc, argv, &i)) {
			return false;
		}
	}
	return true;
}

static bool
unknown_noun(struct args *a)
{
	const char *typed = a->words[0], *instead;
	struct suggest s;

	/* "add account" is as clear as a typing error. */
	for (const struct command *c = a->table; c->noun != NULL; c++)
		if (c->verb != NULL && a->nwords > 1 &&
		    strcmp(c->verb, typed) == 0 &&
		    strcmp(c->noun, a->words[1]) == 0)
			return wrong(a,
			    "unknown command \"%s %s\"; did you mean "
			    "\"%s %s\"?",
			    typed, c->noun, c->noun, c->verb);
	if ((instead = synonym_find(typed, "")) != NULL)
		return wrong(
		    a, "no command \"%.64s\" here; it is: %s", typed, instead);
	suggest_init(&s, typed);
	for (const struct command *c = a->table; c->noun != NULL; c++)
		suggest_offer(&s, c->noun);
	if (s.best != NULL)
		return wrong(a,
		    "unknown command \"%.64s\"; did you mean \"%s\"?", typed,
		    s.best);
	return wrong(
	    a, "unknown command \"%.64s\"; see \"postern help\"", typed);
}

/* "add, list, show" */
static void
list_verbs(const struct args *a, char *out, size_t size)
{
	size_t n = 0;

	for (const struct command *c = a->table; c->noun != NULL; c++)
		if (strcmp(c->noun, a->noun) == 0 && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s",
			    n > 0 ? ", " : "", c->verb);
}

/* Does this word begin verbs of two? */
static bool
has_two(const struct args *a, const char *word)
{
	size_t n = strlen(word);

	for (const struct command *c = a->table; c->noun != NULL; c++)
		if (c->verb != NULL && strncmp(c->verb, word, n) == 0 &&
		    c->verb[n] == ' ')
			return true;
	return false;
}

static bool
unknown_verb(struct args *a)
{
	char verbs[400], typed[130];
	const char *instead;
	struct suggest s;

	list_verbs(a, verbs, sizeof(verbs));
	if (a->nwords == 0)
		return wrong(a, "\"%s\" needs a verb: %s", a->noun, verbs);
	/* "app-password" alone is not wrong, it is not enough. */
	snprintf(typed, sizeof(typed), "%.64s%s%.64s", a->words[0],
	    a->nwords > 1 && has_two(a, a->words[0]) ? " " : "",
	    a->nwords > 1 && has_two(a, a->words[0]) ? a->words[1] : "");
	if ((instead = synonym_find(a->noun, a->words[0])) != NULL)
		return wrong(a, "no command \"%s %.64s\" here; it is: %s",
		    a->noun, a->words[0], instead);
	suggest_init(&s, typed);
	for (const struct command *c = a->table; c->noun != NULL; c++)
		if (strcmp(c->noun, a->noun) == 0)
			suggest_offer(&s, c->verb);
	if (s.best != NULL)
		return wrong(a,
		    "unknown command \"%s %s\"; did you mean \"%s %s\"?",
		    a->noun, typed, a->noun, s.best);
	return wrong(
	    a, "unknown command \"%s %s\"; there is %s", a->noun, typed, verbs);
}

static void
skip_word(struct args *a)
{
	a->words++;
	a->nwords--;
}

/* How many words behind the noun are this verb; 0 when they are not. */
static size_t
verb_words(const struct args *a, const char *verb)
{
	const char *space = strchr(verb, ' ');
	size_t n = space != NULL ? (size_t)(space - verb) : strlen(verb);

	if (a->nwords < 2 || strlen(a->words[1]) != n ||
	    memcmp(a->words[1], verb, n) != 0)
		return 0;
	if (space == NULL)
		return 1;
	return a->nwords > 2 && strcmp(a->words[2], space + 1) == 0 ? 2 : 0;
}

/* Find the command that the first words name. */
static bool
find_command(struct args *a)
{
	size_t n;

	if (a->nwords == 0)
		return wrong(a, "no command; see \"postern help\"");
	for (const struct command *c = a->table; c->noun != NULL; c++) {
		if (strcmp(c->noun, a->words[0]) != 0)
			continue;
		a->noun = c->noun;
		n = c->verb != NULL ? verb_words(a, c->verb) : 0;
		if (c->verb != NULL && n == 0)
			continue;
		a->command = c;
		for (skip_word(a); n > 0; n--)
			skip_word(a);
		return true;
	}
	if (a->noun == NULL)
		return unknown_noun(a);
	skip_word(a);
	return unknown_verb(a);
}

static bool
check_flags(struct args *a)
{
	for (size_t k = 0; k < a->ngiven; k++) {
		const char *name = a->given[k].name;
		size_t n = a->given[k].name_len;
		bool known = a->command == NULL
		    ? find_flag_anywhere(a, name, n) != NULL
		    : find_flag(a->common, name, n) != NULL ||
			find_flag(a->command->flags, name, n) != NULL;

		if (!known)
			return unknown_flag(a, name, n);
	}
	return true;
}

void
args_count(const char *words, size_t *least, size_t *most)
{
	*least = *most = 0;
	while (*words != '\0') {
		size_t n = strcspn(words, " ");
		bool many = memmem(words, n, "...", 3) != NULL;

		if (words[0] != '[')
			++*least;
		if (many)
			*most = SIZE_MAX;
		else if (*most != SIZE_MAX)
			++*most;
		words += n;
		words += strspn(words, " ");
	}
}

/* The n-th of the words and those behind it. */
static const char *
word_at(const char *words, size_t n)
{
	for (; n > 0; n--) {
		words += strcspn(words, " ");
		words += strspn(words, " ");
	}
	return words;
}

static bool
check_words(struct args *a)
{
	size_t least, most;

	args_count(a->command->words, &least, &most);
	if (a->nwords > most)
		return wrong(
		    a, "\"%.64s\" is one word too many", a->words[most]);
	if (a->nwords < least)
		return wrong(
		    a, "%s is missing", word_at(a->command->words, a->nwords));
	return true;
}

bool
args_parse(struct args *a, const struct command *table,
    const struct flag *common, int argc, char **argv)
{
	bool help, found;

	memset(a, 0, sizeof(*a));
	a->table = table;
	a->common = common;
	if (!sort(a, argc, argv)) {
		struct args copy = *a;

		/* For the usage line only. */
		if (find_command(&copy))
			a->command = copy.command;
		return false;
	}
	help = args_flag(a, "help") != NULL;
	if (help && a->nwords == 0)
		return check_flags(a);
	found = find_command(a);
	/* Flags first: behind one that nobody knows, what looks like a word
	 * may be its value. */
	if (!check_flags(a))
		return false;
	if (!found)
		return help && a->noun != NULL && a->nwords == 0;
	return help || check_words(a);
}

const char *
args_flag(const struct args *a, const char *name)
{
	size_t n = strlen(name);

	for (size_t k = 0; k < a->ngiven; k++)
		if (n == a->given[k].name_len &&
		    memcmp(a->given[k].name, name, n) == 0)
			return a->given[k].value;
	return NULL;
}
