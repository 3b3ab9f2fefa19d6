/*
 * Copies of files: which ones, and that files that are written one after the
 * other are of one moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/copy.h"

static char top[] = "/tmp/test_lib_copy.XXXXXX";
static char from[64], to[64];

static void
put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", from, name);
	assert_non_null(f = fopen(path, "w"));
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* What the copy has of it; NULL when it has none. */
static const char *
copied(const char *name)
{
	static char text[64];
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", to, name);
	if ((f = fopen(path, "r")) == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static void
assert_copied(const char *name, const char *text)
{
	const char *got = copied(name);

	assert_non_null(got);
	assert_string_equal(got, text);
}

static bool
every(const char *name)
{
	(void)name;
	return true;
}

static bool
is_log(const char *name)
{
	return strncmp(name, "log.", 4) == 0;
}

/* As a log does that moves on while it is copied. */
static bool
while_log_moves_on(const char *name)
{
	static int n = 3;
	char next[16];

	if (is_log(name))
		return true;
	if (n < 100) {
		snprintf(next, sizeof(next), "log.%d", n++);
		put(next, "later");
	}
	return false;
}

static bool
first_time(const char *name)
{
	static bool asked;
	bool first = !asked;

	(void)name;
	asked = true;
	return first;
}

static int
begin(void **state)
{
	(void)state;
	snprintf(from, sizeof(from), "%s/from", top);
	snprintf(to, sizeof(to), "%s/to", top);
	if (mkdir(from, 0700) == -1)
		return -1;
	put("log.1", "one");
	put("log.2", "two");
	put("table", "rows");
	put(".hidden", "no");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	copy_remove(to);
	copy_remove(from);
	return access(to, F_OK) == -1 && access(from, F_OK) == -1 ? 0 : -1;
}

static void
wanted_files(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(copy_files(from, to, is_log), 0);
	assert_copied("log.1", "one");
	assert_copied("log.2", "two");
	assert_null(copied("table"));
	assert_int_equal(stat(to, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(copy_files(from, to, every), 0);
	assert_copied("table", "rows");
	assert_null(copied(".hidden"));
}

/* In a directory that is not read in one go. */
static void
none_that_came_later(void **state)
{
	char name[48];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "a file with a long name %d", i);
		put(name, "");
	}
	assert_int_equal(copy_files(from, to, while_log_moves_on), 0);
	assert_copied("log.1", "one");
	assert_copied("log.2", "two");
	for (int i = 3; i < 100; i++) {
		snprintf(name, sizeof(name), "log.%d", i);
		assert_null(copied(name));
	}
}

static void
broken_off(void **state)
{
	(void)state;
	assert_int_equal(copy_files(from, to, first_time), 0);
	for (int i = 1; i <= 2; i++) {
		const char *text = copied(i == 1 ? "log.1" : "log.2");

		assert_true(text == NULL || *text == '\0');
	}
}

static void
refusals(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/none", top);
	assert_int_equal(copy_files(path, to, every), ENOENT);
	snprintf(path, sizeof(path), "%s/none/to", top);
	assert_int_equal(copy_files(from, path, every), ENOENT);
	snprintf(path, sizeof(path), "%s/log.link", from);
	assert_int_equal(symlink("log.1", path), 0);
	assert_int_equal(copy_files(from, to, is_log), ELOOP);
	/* Only files are removed, and what is not there is no matter. */
	copy_remove(top);
	assert_copied("log.1", "one");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(wanted_files, begin, end),
		cmocka_unit_test_setup_teardown(
		    none_that_came_later, begin, end),
		cmocka_unit_test_setup_teardown(broken_off, begin, end),
		cmocka_unit_test_setup_teardown(refusals, begin, end),
	};
	int failed;

	if (mkdtemp(top) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(top) == 0 ? failed : 1;
}
