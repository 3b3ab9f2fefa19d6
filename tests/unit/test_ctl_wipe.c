/*
 * What was read as JSON and let go is nowhere in the heap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ctl/wipe.h"

#define SECRET 800

/* A line with a secret of our making, which is nowhere else: on the stack. */
static void
read_line(bool check)
{
	char line[SECRET + 64];
	json_t *object;
	size_t n;

	n = (size_t)snprintf(
	    line, sizeof(line), "{\"name\":\"x\",\"secret\":\"");
	for (size_t i = 0; i < SECRET; i++)
		line[n++] = (char)('a' + i * 7 % 26);
	memcpy(line + n, "\"}", 2);
	object = json_loadb(line, n + 2, 0, NULL);
	assert_non_null(object);
	if (check)
		assert_int_equal(
		    json_string_length(json_object_get(object, "secret")),
		    SECRET);
	json_decref(object);
	explicit_bzero(line, sizeof(line));
}

/* How often 40 bytes from the middle of it are in the heap. */
static unsigned
found(void)
{
	char row[256], part[40];
	unsigned long from, to;
	unsigned n = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	for (size_t i = 0; i < sizeof(part); i++)
		part[i] = (char)('a' + (i + 400) * 7 % 26);
	assert_non_null(f);
	while (fgets(row, sizeof(row), f) != NULL) {
		if (strstr(row, "[heap]") == NULL ||
		    sscanf(row, "%lx-%lx", &from, &to) != 2)
			continue;
		for (const char *at = (const char *)from;
		     (at = memmem(
			  at, to - (uintptr_t)at, part, sizeof(part))) != NULL;
		     at++)
			n++;
	}
	fclose(f);
	explicit_bzero(part, sizeof(part));
	return n;
}

static void
nothing_is_left(void **state)
{
	(void)state;
	wipe_json();
	read_line(true);
	assert_int_equal(found(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
