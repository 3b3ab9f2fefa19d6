/* Command lines against a small table of commands, and against the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/args.h"
#include "ctl/commands.h"
#include "lib/suggest.h"

static int
nothing(struct ctl *c)
{
	(void)c;
	return 0;
}

static const struct flag common[] = {
	{ "config", "FILE", "" },
	{ "help", NULL, "" },
	{ NULL, NULL, NULL },
};
static const struct flag add_flags[] = {
	{ "generate", NULL, "" },
	{ "reason", "TEXT", "" },
	{ NULL, NULL, NULL },
};
static const struct flag none[] = { { NULL, NULL, NULL } };

static const struct command table[] = {
	{ "status", NULL, "", none, nothing, "", NULL },
	{ "account", "add", "ADDRESS", add_flags, nothing, "", NULL },
	{ "account", "list", "", none, nothing, "", NULL },
	{ "grant", "add", "ADDRESS SENDER", none, nothing, "", NULL },
	{ "grant", "list", "[ADDRESS]", none, nothing, "", NULL },
	{ "queue", "remove", "[ID...]", none, nothing, "", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL },
};

static struct args a;
static char *argv[32];
static char line[512];

/* Parse a line whose words are separated by single spaces. */
static bool
parse(const char *text)
{
	int argc = 0;
	char *save = NULL;

	snprintf(line, sizeof(line), "%s", text);
	for (char *w = strtok_r(line, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	return args_parse(&a, table, common, argc, argv);
}

static void
says(const char *text, const char *complaint)
{
	assert_false(parse(text));
	assert_string_equal(a.error, complaint);
}

static void
flags_stand_anywhere(void **state)
{
	static const char *const lines[] = {
		"account add --generate --config F x@y",
		"--config F account add x@y --generate",
		"--config=F --generate account add x@y",
		"account --generate add --config F x@y",
		"account --config=F add x@y --generate",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(parse(lines[i]));
		assert_string_equal(a.command->verb, "add");
		assert_int_equal(a.nwords, 1);
		assert_string_equal(a.words[0], "x@y");
		assert_string_equal(args_flag(&a, "config"), "F");
		assert_string_equal(args_flag(&a, "generate"), "");
		assert_null(args_flag(&a, "reason"));
	}
}

static void
values(void **state)
{
	(void)state;
	assert_true(parse("account add x@y --reason=a=b"));
	assert_string_equal(args_flag(&a, "reason"), "a=b");
	assert_true(parse("account add x@y --reason --generate"));
	assert_string_equal(args_flag(&a, "reason"), "--generate");
	says("account add x@y --reason",
	    "--reason needs a value: "
	    "--reason TEXT");
	says("account add x@y --reason=",
	    "--reason needs a value: "
	    "--reason TEXT");
	says("account add x@y --generate=yes", "--generate takes no value");
	says("account add x@y --generate --generate",
	    "--generate is there twice");
}

static void
double_dash_ends_flags(void **state)
{
	(void)state;
	assert_true(parse("account add -- --generate"));
	assert_string_equal(a.words[0], "--generate");
	assert_null(args_flag(&a, "generate"));
}

static void
no_abbreviations(void **state)
{
	(void)state;
	says("account add x@y --gen",
	    "unknown flag --gen; did you mean --generate?");
	says("account a x@y",
	    "unknown command \"account a\"; there is add, list");
	says("account freeze x@y",
	    "no command \"account freeze\" here; it is: "
	    "postern account suspend");
	says("mailq", "no command \"mailq\" here; it is: postern queue list");
	says("acc add x@y",
	    "unknown command \"acc\"; did you mean \"account\"?");
	says("xyz", "unknown command \"xyz\"; see \"postern help\"");
}

static void
suggestions(void **state)
{
	(void)state;
	says("acount add x@y",
	    "unknown command \"acount\"; did you mean \"account\"?");
	says("account ad x@y",
	    "unknown command \"account ad\"; did you mean \"account add\"?");
	says("add account x@y",
	    "unknown command \"add account\"; did you mean \"account add\"?");
	says("account add x@y --genrate",
	    "unknown flag --genrate; did you mean --generate?");
	says(
	    "status --confg F", "unknown flag --confg; did you mean --config?");
	/* The one that every program knows. */
	assert_true(parse("status -h"));
	assert_non_null(args_flag(&a, "help"));
	says("status -x", "unknown flag -x; flags are written in full");
	/* A flag of another command is no flag of this one. */
	says("status --generate", "unknown flag --generate");
}

static void
words(void **state)
{
	(void)state;
	says("", "no command; see \"postern help\"");
	says("account", "\"account\" needs a verb: add, list");
	says("account add", "ADDRESS is missing");
	says("grant add", "ADDRESS SENDER is missing");
	says("grant add x", "SENDER is missing");
	says("account add x y", "\"y\" is one word too many");
	says("status now", "\"now\" is one word too many");
	assert_true(parse("grant list"));
	assert_true(parse("grant list x"));
	says("grant list x y", "\"y\" is one word too many");
	assert_true(parse("queue remove"));
	assert_true(parse("queue remove 1 2 3 4"));
	assert_int_equal(a.nwords, 4);
	assert_true(parse("grant list -"));
	assert_string_equal(a.words[0], "-");
}

static void
help_wins(void **state)
{
	(void)state;
	assert_true(parse("--help"));
	assert_null(a.command);
	assert_null(a.noun);
	assert_true(parse("account --help"));
	assert_null(a.command);
	assert_string_equal(a.noun, "account");
	assert_true(parse("account add --help"));
	assert_non_null(a.command);
	says("account ad --help",
	    "unknown command \"account ad\"; did you mean \"account add\"?");
}

static void
many_flags(void **state)
{
	char text[512] = "status";

	(void)state;
	for (int i = 0; i < 20; i++)
		sprintf(text + strlen(text), " --f%d", i);
	says(text, "too many flags");
}

static void
distances(void **state)
{
	char longer[SUGGEST_MAX + 2];
	struct suggest near;

	(void)state;
	suggest_init(&near, "foo");
	suggest_offer(&near, "log");
	assert_null(near.best);
	assert_int_equal(suggest_distance("list", "list"), 0);
	assert_int_equal(suggest_distance("lst", "list"), 1);
	assert_int_equal(suggest_distance("lisst", "list"), 1);
	assert_int_equal(suggest_distance("lisp", "list"), 1);
	assert_int_equal(suggest_distance("lsit", "list"), 1);
	assert_int_equal(suggest_distance("", "list"), 4);
	assert_int_equal(suggest_distance("list", ""), 4);
	assert_int_equal(suggest_distance("abc", "xyz"), 3);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_true(suggest_distance(longer, longer) > 1000);
}

static void
nearest(void **state)
{
	struct suggest s;

	(void)state;
	suggest_init(&s, "resum");
	suggest_offer(&s, "remove");
	suggest_offer(&s, "resume");
	suggest_offer(&s, "release");
	assert_string_equal(s.best, "resume");
	suggest_init(&s, "password");
	suggest_offer(&s, "no-input");
	suggest_offer(&s, "password-stdin");
	assert_string_equal(s.best, "password-stdin");
	suggest_offer(&s, "passwd");
	assert_string_equal(s.best, "passwd");
	suggest_init(&s, "x");
	suggest_offer(&s, "y");
	assert_null(s.best);
	suggest_init(&s, "zebra");
	suggest_offer(&s, "queue");
	assert_null(s.best);
}

/* What the parser needs of the real table. */
static void
the_table_is_sound(void **state)
{
	size_t least, most;

	(void)state;
	for (const struct command *c = commands; c->noun != NULL; c++) {
		assert_non_null(c->run);
		assert_true(strlen(c->summary) > 0);
		assert_true(strlen(c->summary) <= 46);
		args_count(c->words, &least, &most);
		assert_true(least <= most);
		for (const struct flag *f = c->flags; f->name != NULL; f++)
			assert_true(strlen(f->help) <= 56);
		/* Rows of one noun stand together. */
		if (c > commands && strcmp(c->noun, c[-1].noun) != 0)
			for (const struct command *d = commands; d < c; d++)
				assert_string_not_equal(d->noun, c->noun);
	}
}

/* One name takes a value everywhere or nowhere. */
static void
flags_agree(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->noun != NULL; c++)
		for (const struct flag *f = c->flags; f->name != NULL; f++)
			for (const struct command *d = c; d->noun != NULL; d++)
				for (const struct flag *g = d->flags;
				     g->name != NULL; g++)
					if (strcmp(f->name, g->name) == 0)
						assert_true(
						    (f->value == NULL) ==
						    (g->value == NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_stand_anywhere),
		cmocka_unit_test(values),
		cmocka_unit_test(double_dash_ends_flags),
		cmocka_unit_test(no_abbreviations),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(words),
		cmocka_unit_test(help_wins),
		cmocka_unit_test(many_flags),
		cmocka_unit_test(distances),
		cmocka_unit_test(nearest),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(flags_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
