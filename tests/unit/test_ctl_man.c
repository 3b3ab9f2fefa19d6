/*
 * man/postern.1 says what the table of commands says.
 *
 * With POSTERN_UPDATE=1 in the environment the page is rewritten instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/commands.h"
#include "ctl/help.h"

#define PAGE "man/postern.1"
#define FROM "tests/unit/test_ctl_man.c compares.\n"
#define TO   ".\\\" END\n"

static char *
read_page(void)
{
	FILE *f = fopen(PAGE, "r");
	char *text = calloc(1, 200000);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 199999, f) > 0);
	fclose(f);
	return text;
}

static char *
generate(void (*write)(FILE *))
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	write(f);
	fclose(f);
	return text;
}

/* The n-th generated part of the page. */
static char *
part(char *page, int n, char **end)
{
	char *from = page;

	for (; n >= 0; n--) {
		from = strstr(from, FROM);
		assert_non_null(from);
		from += strlen(FROM);
	}
	*end = strstr(from, TO);
	assert_non_null(*end);
	return from;
}

static void
replace(int n, const char *with)
{
	char *page = read_page(), *end, *from = part(page, n, &end);
	FILE *f = fopen(PAGE, "w");

	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(from - page), page, with, end);
	fclose(f);
	free(page);
}

static void
compare(int n, void (*write)(FILE *))
{
	char *want = generate(write), *page, *have, *end;

	if (getenv("POSTERN_UPDATE") != NULL)
		replace(n, want);
	page = read_page();
	have = part(page, n, &end);
	*end = '\0';
	if (strcmp(have, want) != 0)
		print_message("stale: run this test with POSTERN_UPDATE=1\n");
	assert_string_equal(have, want);
	free(page);
	free(want);
}

static void
synopsis(void **state)
{
	(void)state;
	compare(0, help_mdoc_synopsis);
}

static void
command_list(void **state)
{
	(void)state;
	compare(1, help_mdoc_commands);
}

/* Whoever adds a command says in "Output for programs" what it prints. */
static void
json_is_documented(void **state)
{
	char *page = read_page(), *list = strstr(page, ".Ss Output for");
	char name[64];

	(void)state;
	assert_non_null(list);
	*strstr(list, ".Sh ENVIRONMENT") = '\0';
	for (const struct command *c = commands; c->noun != NULL; c++) {
		bool json = false;

		for (const struct flag *f = c->flags; f->name != NULL; f++)
			json |= strcmp(f->name, "json") == 0;
		snprintf(name, sizeof(name), "%s%s%s", c->noun,
		    c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "");
		if (json && strstr(list, name) == NULL)
			fail_msg("no keys of \"%s\" in the manual", name);
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synopsis),
		cmocka_unit_test(command_list),
		cmocka_unit_test(json_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
