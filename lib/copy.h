/*
 * copy.h - copies of files, for a look at them that does not disturb.
 */
#ifndef LIB_COPY_H
#define LIB_COPY_H

#include <stdbool.h>

/*
 * The regular files of the directory `from` that `want` are in the directory
 * `to`, too, which is made when missing.  Those that were there before the
 * first was copied, by their names, and no later ones: of files that are
 * written one after the other, only the last is copied unfinished.  `want` is
 * asked again before each piece; false ends that copy.  0 or an errno.
 */
int
copy_files(const char *from, const char *to, bool (*want)(const char *name));

/* Remove a directory that holds files only; harmless when there is none. */
void copy_remove(const char *dir);

#endif
