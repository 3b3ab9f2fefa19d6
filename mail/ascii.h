/*
 * ascii.h - what a byte is, whatever the locale says.
 *
 * The grammars of mail are ASCII; <ctype.h> asks the locale and takes an int.
 */
#ifndef MAIL_ASCII_H
#define MAIL_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_alnum(char c)
{
	return ascii_alpha(c) || ascii_digit(c);
}

/* A visible character or a space: 32 to 126. */
static inline bool
ascii_print(char c)
{
	return c >= ' ' && c <= '~';
}

static inline bool
ascii_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Are these n bytes the same, but for the case of letters? */
static inline bool
ascii_same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

/* Are the n bytes at s this word, but for the case of letters? */
static inline bool
ascii_is(const char *s, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (word[i] == '\0' ||
		    ascii_lower(s[i]) != ascii_lower(word[i]))
			return false;
	return word[n] == '\0';
}

/* The number that n digits are; UINT64_MAX for a larger one. */
static inline uint64_t
ascii_number(const char *s, size_t n)
{
	uint64_t number = 0;

	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, s[i] - '0', &number))
			number = UINT64_MAX;
	return number;
}

#endif
