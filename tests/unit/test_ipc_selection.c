/*
 * test_ipc_selection.c - which messages a command is about, as one types it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/selection.h"

static const char *
written(const struct msg_queue_cmd *q)
{
	static char out[SELECTION_SIZE];

	selection_write(q, out);
	return out;
}

static void
test_flags(void **state)
{
	(void)state;
	assert_string_equal(
	    written(&(struct msg_queue_cmd){ .all = 1 }), "--all");
	assert_string_equal(
	    written(&(struct msg_queue_cmd){ .domain = "example.net" }),
	    "--domain example.net");
	assert_string_equal(
	    written(&(struct msg_queue_cmd){ .account = "alice@example.org",
		.sender = "@example.com",
		.domain = "example.net" }),
	    "--account alice@example.org --sender @example.com "
	    "--domain example.net");
}

static void
test_shell_words(void **state)
{
	(void)state;
	assert_string_equal(
	    written(&(struct msg_queue_cmd){
		.account = "o'hara@example.org", .sender = "<>" }),
	    "--account \"o'hara@example.org\" --sender \"<>\"");
}

static void
fill(char *out, size_t size)
{
	memset(out, '\'', size - 1);
	out[0] = '$'; /* makes the quotes single ones */
}

static void
test_longest_words_fit(void **state)
{
	struct msg_queue_cmd q = { 0 };
	const char *out;
	size_t n = strlen("--account '$' --sender '$' --domain '$'");

	(void)state;
	fill(q.account, sizeof(q.account));
	fill(q.sender, sizeof(q.sender));
	fill(q.domain, sizeof(q.domain));
	out = written(&q);
	n += 5 * (2 * (ADDR_SIZE - 2) + sizeof(q.domain) - 2);
	assert_int_equal(strlen(out), n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_shell_words),
		cmocka_unit_test(test_longest_words_fit),
	};

	return cmocka_run_group_tests_name("ipc_selection", tests, NULL, NULL);
}
