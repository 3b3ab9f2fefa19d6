/*
 * test_dir.h - a directory of a test's own, and all that is left in it.
 */
#ifndef TESTS_TEST_DIR_H
#define TESTS_TEST_DIR_H

#include <ftw.h>
#include <stdio.h>

static inline int
dir_remove_entry(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* It is gone, with everything below it; follows no links.  0, or -1 with
 * errno. */
static inline int
dir_remove(const char *path)
{
	return nftw(path, dir_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
