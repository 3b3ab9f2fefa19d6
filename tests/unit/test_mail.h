/*
 * test_mail.h - tables of cases for cmocka: each row is a test of its own.
 *
 * A row is any struct; the test function finds it in *state.
 */
#ifndef TEST_MAIL_H
#define TEST_MAIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A literal with its length, so that it may hold NULs. */
#define S(text) (text), sizeof(text) - 1

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct CMUnitTest cases[512];
static size_t ncases;

static inline void
add(const char *name, CMUnitTestFunction function, const void *row)
{
	assert_true(ncases < COUNT(cases));
	cases[ncases++] = (struct CMUnitTest){
		.name = name,
		.test_func = function,
		.initial_state = (void *)(uintptr_t)row,
	};
}

/* All rows of a table whose first member is the name. */
#define ADD_TABLE(table, function) \
	do { \
		for (size_t row_ = 0; row_ < COUNT(table); row_++) \
			add((table)[row_].name, (function), &(table)[row_]); \
	} while (0)

static inline int
run_cases(const char *name)
{
	return _cmocka_run_group_tests(name, cases, ncases, NULL, NULL);
}

/* The bytes in memory of just their size, for the sanitizer to see. */
static inline char *
exact(const char *s, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	assert_non_null(copy);
	memcpy(copy, s, n);
	return copy;
}

/*
 * Step through all strings over an alphabet up to a length: s and *n hold
 * one, false when it was the last.  Begin with *n = 0.
 */
static inline bool
next_string(char *s, size_t *n, size_t max, const char *alphabet, size_t size)
{
	size_t i = 0;

	for (; i < *n; i++) {
		const char *at = memchr(alphabet, s[i], size);

		if (at != alphabet + size - 1) {
			s[i] = at[1];
			return true;
		}
		s[i] = alphabet[0];
	}
	if (*n == max)
		return false;
	s[(*n)++] = alphabet[0];
	return true;
}

#endif
