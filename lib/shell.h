/*
 * shell.h - words of commands that are there to be copied.
 *
 * A local part may hold what a shell runs or splits: an apostrophe, a
 * backtick, "$", "|", "&", braces.  Whoever prints a command with a name in it
 * goes through here.
 */
#ifndef LIB_SHELL_H
#define LIB_SHELL_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a word of n letters, its NUL included. */
#define SHELL_SIZE(n) (5 * (n) + 3)

/*
 * Does a shell take these n letters as they are?  A command with the words of
 * strangers is printed only then: quotes do not survive every mail program.
 */
bool shell_plain(const char *s, size_t n);

/*
 * Write s as one word, in quotes when it needs them.  Returns out.
 *
 *   size  of out; SHELL_SIZE(strlen(s)) at least
 */
const char *shell_word(char *out, size_t size, const char *s);

#endif
