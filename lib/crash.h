/*
 * crash.h - die on purpose at a named point, for the crash tests.
 *
 * POSTERN_CRASH=POINT:N in the environment ends the process with _exit(137)
 * the N-th time that POINT is passed.  docs/QUEUE.md lists the points.
 */
#ifndef LIB_CRASH_H
#define LIB_CRASH_H

#include <stdbool.h>

extern bool crash_armed;

/* Read the environment, once. */
void crash_init(void);
void crash_passed(const char *point);

#define CRASH_POINT(name) \
	do { \
		if (__builtin_expect(crash_armed, false)) \
			crash_passed(name); \
	} while (0)

#endif
