/*
 * shell.c - see shell.h.
 */
#include <assert.h>
#include <string.h>

#include "lib/shell.h"

bool
shell_plain(const char *s, size_t n)
{
	/* No "=": zsh looks for a command behind one at the beginning. */
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789@%+:,./_-";

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x80 &&
		    (s[i] == '\0' || strchr(plain, s[i]) == NULL))
			return false;
	return n > 0;
}

const char *
shell_word(char *out, size_t size, const char *s)
{
	size_t n = 0, len = strlen(s);
	char quote;

	assert(size >= SHELL_SIZE(len));
	if (shell_plain(s, len)) {
		memcpy(out, s, len + 1);
		return out;
	}
	/* No backslash: it would be doubled on the way to a terminal. */
	quote = strpbrk(s, "\"$`!\\") == NULL ? '"' : '\'';
	out[n++] = quote;
	for (; *s != '\0'; s++)
		if (*s == quote) {
			memcpy(out + n, "'\"'\"'", 5);
			n += 5;
		} else {
			out[n++] = *s;
		}
	out[n++] = quote;
	out[n] = '\0';
	return out;
}
