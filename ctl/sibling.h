/*
 * sibling.h - where the other programs are.
 */
#ifndef CTL_SIBLING_H
#define CTL_SIBLING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of "postern-NAME": beside the running program, so that a tree
 * runs where it was built; else where it was installed.  False, with the
 * reason on stderr, when it is in neither place.
 */
bool sibling_path(const char *name, char *out, size_t size);

#endif
