/*
 * test_ipc_rcpt.c - recipients as list items: round trips and refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/rcpt.h"

static uint8_t out[RCPT_ITEM_MAX];

static void
test_plain_is_its_address(void **state)
{
	struct rcpt_item r = { .address = "bob@example.net" }, b;
	size_t n = rcpt_pack(&r, out);

	(void)state;
	assert_int_equal(n, strlen(r.address));
	assert_memory_equal(out, r.address, n);
	assert_true(rcpt_unpack(&b, (struct bytes){ out, n }));
	assert_string_equal(b.address, r.address);
	assert_int_equal(b.notify, 0);
	assert_string_equal(b.orcpt, "");
}

static void
test_longest(void **state)
{
	struct rcpt_item r, b;
	size_t n;

	(void)state;
	memset(r.address, 'a', sizeof(r.address));
	r.address[sizeof(r.address) - 1] = '\0';
	memset(r.orcpt, 'o', sizeof(r.orcpt));
	r.orcpt[sizeof(r.orcpt) - 1] = '\0';
	r.notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	n = rcpt_pack(&r, out);
	assert_true(n <= sizeof(out));
	assert_true(rcpt_unpack(&b, (struct bytes){ out, n }));
	assert_string_equal(b.address, r.address);
	assert_string_equal(b.orcpt, r.orcpt);
	assert_int_equal(b.notify, r.notify);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *item;
		size_t n;
	} bad[] = {
		{ "", 0 }, { "\0\1", 2 },
		{ "a@b\0", 4 },          /* the byte is missing */
		{ "a@b\0\x10", 5 },      /* no such wish */
		{ "a@b\0\3", 5 },        /* NEVER with SUCCESS */
		{ "a@b\0\2rfc\0x", 10 }, /* a NUL inside */
	};
	struct rcpt_item r;
	uint8_t most[RCPT_ITEM_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rcpt_unpack(&r,
		    (struct bytes){ (const uint8_t *)bad[i].item, bad[i].n }));
	memset(most, 'a', sizeof(most));
	assert_false(rcpt_unpack(&r, (struct bytes){ most, ADDR_SIZE }));
	most[3] = '\0';
	most[4] = NOTIFY_NEVER;
	assert_false(rcpt_unpack(&r, (struct bytes){ most, 5 + ORCPT_SIZE }));
	assert_true(
	    rcpt_unpack(&r, (struct bytes){ most, 5 + ORCPT_SIZE - 1 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_is_its_address),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
