/*
 * crash.c - see crash.h.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/crash.h"
#include "lib/log.h"

bool crash_armed;
static char point[64];
static atomic_int left;

void
crash_init(void)
{
	const char *s = getenv("POSTERN_CRASH"), *colon;

	if (s == NULL || (colon = strchr(s, ':')) == NULL ||
	    (size_t)(colon - s) >= sizeof(point))
		return;
	snprintf(point, sizeof(point), "%.*s", (int)(colon - s), s);
	left = atoi(colon + 1);
	crash_armed = left > 0;
	log_event("warning", "text=%s crash=%s",
	    log_quote("a process will end itself, as a test asked"), point);
}

void
crash_passed(const char *name)
{
	if (strcmp(name, point) == 0 && atomic_fetch_sub(&left, 1) == 1)
		_exit(137);
}
