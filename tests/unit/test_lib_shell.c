/*
 * Words of a shell: names that are plain stay as they are, and a real shell
 * reads each of the others as the one word that it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/shell.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
plain(void **state)
{
	static const char *const good[] = { "alice@example.org",
		"a.b+c_d-e@x-1.example", "100%@example.org",
		"j\xc3\xb6rg@example.org", "@example.org", "a,b:c/d" };
	static const char bad[] = " \t\n!\"#$&'()*;<=>?[\\]^`{|}~\x7f\x01";
	char word[SHELL_SIZE(40)], text[4];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(shell_plain(good[i], strlen(good[i])));
		assert_string_equal(
		    shell_word(word, sizeof(word), good[i]), good[i]);
	}
	for (const char *p = bad; *p != '\0'; p++) {
		snprintf(text, sizeof(text), "a%cb", *p);
		if (shell_plain(text, 3))
			fail_msg("%02x is plain", (unsigned)*p);
		assert_true(shell_plain(text, 1));
	}
	assert_false(shell_plain("", 0));
	assert_false(shell_plain("a\0b", 3));
}

static void
one_word(void **state)
{
	static const char *const words[] = { "", "'", "''''''''", "o'brien@x",
		"Pat's \"phone\"", "`touch /nowhere/x`@example.org",
		"touch${IFS}/nowhere/x@example.org", "$(exit 3)", "a|b&c;d",
		"{a,b}", "~root", "*", "!!", "\\", "\\'\"", "=ls", "a b" };
	char word[SHELL_SIZE(40)], command[SHELL_SIZE(40) + 40], heard[60];
	size_t n;
	FILE *f;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		snprintf(command, sizeof(command), "printf '<%%s>' %s",
		    shell_word(word, SHELL_SIZE(strlen(words[i])), words[i]));
		f = popen(command, "r");
		assert_non_null(f);
		n = fread(heard, 1, sizeof(heard) - 1, f);
		heard[n] = '\0';
		assert_int_equal(pclose(f), 0);
		assert_int_equal(n, strlen(words[i]) + 2);
		assert_memory_equal(heard + 1, words[i], n - 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(one_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
