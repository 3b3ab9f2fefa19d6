/*
 * man/postern.1 says what the table of commands says, postern.conf.5 has all
 * keys, and the example of a configuration is one.
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
#include "lib/conf.h"

#define PAGE "man/postern.1"
#define FROM "tests/unit/test_ctl_man.c compares.\n"
#define TO   ".\\\" END\n"

static char *
read_file(const char *file)
{
	FILE *f = fopen(file, "r");
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
	char *page = read_file(PAGE), *end, *from = part(page, n, &end);
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
	page = read_file(PAGE);
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
	char *page = read_file(PAGE), *list = strstr(page, ".Ss Output for");
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

static void
unexpected(void *arg, int line, const char *text, const char *hint)
{
	(void)hint;
	fail_msg("%s:%d: %s", (const char *)arg, line, text);
}

/* Is there, in the part of the page about the section, such an item? */
static void
find_key(void *arg, const char *section, const char *key, const char *value)
{
	char heading[64], item[64], def[200];
	char *page = arg, *from, *to, *at;

	if (*section == '\0')
		snprintf(heading, sizeof(heading), ".Ss Before the sections\n");
	else
		snprintf(heading, sizeof(heading), ".Ss [%.*s%s",
		    (int)strcspn(section, " "), section,
		    strchr(section, ' ') != NULL ? " " : "]\n");
	from = strstr(page, heading);
	if (from == NULL)
		fail_msg("postern.conf.5: nothing about %s", heading);
	to = strstr(from + 1, "\n.S");
	snprintf(item, sizeof(item), "\n.It Ic %s", key);
	at = strstr(from, item);
	if (at == NULL || at > to)
		fail_msg("postern.conf.5: no key %s in %s", key, heading);
	/* Plain defaults are told as they are. */
	if (*value == '\0' || strchr("/,", *value) != NULL ||
	    strchr(section, ' ') != NULL || strcmp(key, "hostname") == 0 ||
	    strcmp(key, "retry") == 0)
		return;
	snprintf(def, sizeof(def), "Default: %s.", value);
	at = strstr(at, "Default: ");
	if (at == NULL || strncmp(at, def, strlen(def)) != 0)
		fail_msg("postern.conf.5: %s: no \"%s\"", key, def);
}

static void
keys_are_documented(void **state)
{
	static const char text[] =
	    "hostname = a.example\n[listen x]\naddress = 127.0.0.1:1\n"
	    "tls = implicit\n[route *]\nvia = 127.0.0.1:25\nuser = u\n"
	    "password-file = /p\nsource = 127.0.0.1\nhelo = a.example\n";
	struct conf *c = conf_parse(
	    "x", text, strlen(text), unexpected, (void *)(uintptr_t) "x");
	char *page = read_file("man/postern.conf.5");

	(void)state;
	conf_each(c, find_key, page);
	conf_free(c);
	free(page);
}

#define EXAMPLE "packaging/postern.conf.example"

static void
find_in_example(
    void *arg, const char *section, const char *key, const char *value)
{
	char set[100], unset[100];

	(void)value;
	snprintf(set, sizeof(set), "\n%s ", key);
	snprintf(unset, sizeof(unset), "\n#%s ", key);
	if (strstr(arg, set) == NULL && strstr(arg, unset) == NULL)
		fail_msg("%s: no key %s of [%s]", EXAMPLE, key, section);
}

/* As it is, and with every key uncommented. */
static void
example_is_right(void **state)
{
	char *text = read_file(EXAMPLE), *to = text, *twice;
	struct conf *c;

	(void)state;
	c = conf_parse(EXAMPLE, text, strlen(text), unexpected,
	    (void *)(uintptr_t)EXAMPLE);
	assert_int_equal(c->rcpts_hour, 300);
	conf_each(c, find_in_example, text);
	conf_free(c);
	/* Its second [route *] is another way to write the first. */
	twice = strstr(text, "#[route *]");
	assert_non_null(twice);
	twice = strstr(twice + 1, "#[route *]");
	assert_non_null(twice);
	memcpy(twice, "#[route x]", 10);
	for (const char *from = text; *from != '\0'; from++)
		if (!(*from == '#' && from[1] != ' ' && from[1] != '\n'))
			*to++ = *from;
	*to = '\0';
	c = conf_parse(EXAMPLE, text, strlen(text), unexpected,
	    (void *)(uintptr_t)EXAMPLE);
	assert_int_equal(c->nroutes, 3);
	assert_string_equal(c->dns_server, "127.0.0.1@53");
	conf_free(c);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synopsis),
		cmocka_unit_test(command_list),
		cmocka_unit_test(json_is_documented),
		cmocka_unit_test(keys_are_documented),
		cmocka_unit_test(example_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
