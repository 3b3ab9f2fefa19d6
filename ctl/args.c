#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/suggest.h"

static const struct flag *
find_flag(const struct flag *flags, const char *name, size_t n)
{
	for (const struct flag *f = flags; f->name != NULL; f++)
		if (strlen(f->name) == n && memcmp(f->name, name, n) == 0)
			return f;
	return NULL;
}

/* A flag means the same to every command that has it, so that its value can
 * be told from a word before the command is known. */
static const struct flag *
find_flag_anywhere(const struct command *table, const struct flag *common,
    const char *name, size_t n)
{
	const struct flag *f = find_flag(common, name, n);

	for (const struct command *c = table; f == NULL && c->noun != NULL; c++)
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
unknown_flag(const struct args *a, const struct command *table,
    const struct flag *common, const char *name, size_t n, char *err,
    size_t err_size)
{
	char typed[SUGGEST_MAX];
	struct suggest s;

	snprintf(typed, sizeof(typed), "%.*s", (int)n, name);
	suggest_init(&s, typed);
	offer_flags(&s, common);
	for (const struct command *c = table; c->noun != NULL; c++)
		if (a->command == NULL || a->command == c)
			offer_flags(&s, c->flags);
	if (s.best != NULL)
		snprintf(err, err_size, "unknown flag --%s; did you mean --%s?",
		    typed, s.best);
	else
		snprintf(err, err_size, "unknown flag --%s", typed);
	return false;
}

/*
 * Take the flag at argv[*i] and move *i past it.
 */
static bool
take_flag(struct args *a, const struct command *table,
    const struct flag *common, int argc, char **argv, int *i, char *err,
    size_t err_size)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t n = value != NULL ? (size_t)(value - name) : strlen(name);
	const struct flag *f = find_flag_anywhere(table, common, name, n);

	(*i)++;
	if (value != NULL)
		value++;
	if (f != NULL && f->value != NULL && value == NULL && *i < argc)
		value = argv[(*i)++];
	if (f != NULL && f->value != NULL &&
	    (value == NULL || *value == '\0')) {
		snprintf(err, err_size, "--%s needs a value: --%s %s", f->name,
		    f->name, f->value);
		return false;
	}
	if (f != NULL && f->value == NULL && value != NULL) {
		snprintf(err, err_size, "--%s takes no value", f->name);
		return false;
	}
	for (size_t k = 0; k < a->ngiven; k++)
		if (a->given[k].name_len == n &&
		    memcmp(a->given[k].name, name, n) == 0) {
			snprintf(err, err_size, "--%.*s is there twice", (int)n,
			    name);
			return false;
		}
	if (a->ngiven == ARGS_FLAGS) {
		snprintf(err, err_size, "too many flags");
		return false;
	}
	a->given[a->ngiven].name = name;
	a->given[a->ngiven].name_len = n;
	a->given[a->ngiven].value = value != NULL ? value : "";
	a->ngiven++;
	return true;
}

/* Sort argv into flags and words, up to the first error. */
static bool
sort(struct args *a, const struct command *table, const struct flag *common,
    int argc, char **argv, char *err, size_t err_size)
{
	int i = 0;
	bool flags = true;

	a->words = argv;
	a->nwords = 0;
	while (i < argc) {
		if (!flags || argv[i][0] != '-' || argv[i][1] == '\0') {
			a->words[a->nwords++] = argv[i++];
		} else if (strcmp(argv[i], "--") == 0) {
			flags = false;
			i++;
		} else if (argv[i][1] != '-') {
			snprintf(err, err_size, "unknown flag %.*s; %s",
			    SUGGEST_MAX, argv[i],
			    strcmp(argv[i], "-h") == 0
				? "did you mean --help?"
				: "flags are written in full");
			return false;
		} else if (!take_flag(a, table, common, argc, argv, &i, err,
			       err_size)) {
			return false;
		}
	}
	return true;
}

static bool
unknown_noun(const struct args *a, const struct command *table, char *err,
    size_t err_size)
{
	const char *typed = a->words[0];
	struct suggest s;

	/* "add account" is as clear as a typing error. */
	for (const struct command *c = table; c->noun != NULL; c++)
		if (c->verb != NULL && a->nwords > 1 &&
		    strcmp(c->verb, typed) == 0 &&
		    strcmp(c->noun, a->words[1]) == 0) {
			snprintf(err, err_size,
			    "unknown command \"%s %s\"; did you mean "
			    "\"%s %s\"?",
			    typed, c->noun, c->noun, c->verb);
			return false;
		}
	suggest_init(&s, typed);
	for (const struct command *c = table; c->noun != NULL; c++)
		suggest_offer(&s, c->noun);
	if (s.best != NULL)
		snprintf(err, err_size,
		    "unknown command \"%.64s\"; did you mean \"%s\"?", typed,
		    s.best);
	else
		snprintf(err, err_size,
		    "unknown command \"%.64s\"; see \"postern help\"", typed);
	return false;
}

/* "add, list, show" */
static void
list_verbs(
    const char *noun, const struct command *table, char *out, size_t size)
{
	size_t n = 0;

	for (const struct command *c = table; c->noun != NULL; c++)
		if (strcmp(c->noun, noun) == 0 && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s",
			    n > 0 ? ", " : "", c->verb);
}

static bool
unknown_verb(const struct args *a, const struct command *table, char *err,
    size_t err_size)
{
	char verbs[256];
	struct suggest s;

	list_verbs(a->noun, table, verbs, sizeof(verbs));
	if (a->nwords == 0) {
		snprintf(
		    err, err_size, "\"%s\" needs a verb: %s", a->noun, verbs);
		return false;
	}
	suggest_init(&s, a->words[0]);
	for (const struct command *c = table; c->noun != NULL; c++)
		if (strcmp(c->noun, a->noun) == 0)
			suggest_offer(&s, c->verb);
	if (s.best != NULL)
		snprintf(err, err_size,
		    "unknown command \"%s %.64s\"; did you mean \"%s %s\"?",
		    a->noun, a->words[0], a->noun, s.best);
	else
		snprintf(err, err_size,
		    "unknown command \"%s %.64s\"; there is %s", a->noun,
		    a->words[0], verbs);
	return false;
}

static void
skip_word(struct args *a)
{
	a->words++;
	a->nwords--;
}

/* Find the command that the first words name. */
static bool
find_command(
    struct args *a, const struct command *table, char *err, size_t err_size)
{
	if (a->nwords == 0) {
		snprintf(err, err_size, "no command; see \"postern help\"");
		return false;
	}
	for (const struct command *c = table; c->noun != NULL; c++) {
		if (strcmp(c->noun, a->words[0]) != 0)
			continue;
		a->noun = c->noun;
		if (c->verb == NULL) {
			a->command = c;
			skip_word(a);
			return true;
		}
		if (a->nwords > 1 && strcmp(c->verb, a->words[1]) == 0) {
			a->command = c;
			skip_word(a);
			skip_word(a);
			return true;
		}
	}
	if (a->noun == NULL)
		return unknown_noun(a, table, err, err_size);
	skip_word(a);
	return unknown_verb(a, table, err, err_size);
}

static bool
check_flags(const struct args *a, const struct command *table,
    const struct flag *common, char *err, size_t err_size)
{
	for (size_t k = 0; k < a->ngiven; k++) {
		const char *name = a->given[k].name;
		size_t n = a->given[k].name_len;

		if (find_flag(common, name, n) != NULL)
			continue;
		if (a->command != NULL
			? find_flag(a->command->flags, name, n) == NULL
			: find_flag_anywhere(table, common, name, n) == NULL)
			return unknown_flag(
			    a, table, common, name, n, err, err_size);
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

static bool
check_words(const struct args *a, char *err, size_t err_size)
{
	size_t least, most;

	args_count(a->command->words, &least, &most);
	if (a->nwords > most) {
		snprintf(err, err_size, "\"%.64s\" is one word too many",
		    a->words[most]);
		return false;
	}
	if (a->nwords < least) {
		snprintf(err, err_size, "%s is missing", a->command->words);
		return false;
	}
	return true;
}

bool
args_parse(struct args *a, const struct command *table,
    const struct flag *common, int argc, char **argv, char *err,
    size_t err_size)
{
	bool help, sorted;

	memset(a, 0, sizeof(*a));
	err[0] = '\0';
	sorted = sort(a, table, common, argc, argv, err, err_size);
	help = args_flag(a, "help") != NULL;
	if (!sorted) {
		char unsaid[256];

		(void)find_command(a, table, unsaid, sizeof(unsaid));
		return false;
	}
	if (a->nwords > 0 || !help) {
		bool found = find_command(a, table, err, err_size);

		/* A flag that nobody knows may have swallowed no value, so
		 * the words are not to be trusted. */
		if (!check_flags(a, table, common, err, err_size))
			return false;
		if (!found)
			return help && a->noun != NULL && a->nwords == 0;
		return help || check_words(a, err, err_size);
	}
	return check_flags(a, table, common, err, err_size);
}

const char *
args_flag(const struct args *a, const char *name)
{
	for (size_t k = 0; k < a->ngiven; k++)
		if (strlen(name) == a->given[k].name_len &&
		    memcmp(a->given[k].name, name, a->given[k].name_len) == 0)
			return a->given[k].value;
	return NULL;
}
