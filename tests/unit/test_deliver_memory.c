/* What was delivered lately, and for how long that is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "deliver/memory.h"

static void
only_what_was_added_is_there(void **state)
{
	(void)state;
	assert_false(memory_has(1, "a@example.net"));
	assert_false(memory_has(0, ""));
	memory_add(1, "a@example.net");
	assert_true(memory_has(1, "a@example.net"));
	assert_false(memory_has(2, "a@example.net"));
	assert_false(memory_has(1, "A@example.net"));
	assert_false(memory_has(1, "a@example.net "));
	assert_false(memory_has(1, ""));
}

static void
old_pairs_make_room(void **state)
{
	unsigned lately = 0, ever = 0;
	char rcpt[32];

	(void)state;
	for (uint64_t id = 1; id <= 100000; id++) {
		snprintf(
		    rcpt, sizeof(rcpt), "r%u@example.net", (unsigned)id % 7);
		memory_add(id, rcpt);
	}
	for (uint64_t id = 1; id <= 100000; id++) {
		snprintf(
		    rcpt, sizeof(rcpt), "r%u@example.net", (unsigned)id % 7);
		ever += memory_has(id, rcpt);
		if (id > 95000)
			lately += memory_has(id, rcpt);
	}
	assert_true(ever <= 16384);
	assert_in_range(lately, 4900, 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_was_added_is_there),
		cmocka_unit_test(old_pairs_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
