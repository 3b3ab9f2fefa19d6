/*
 * Recipients become parts of one destination each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/rcpt.h"
#include "queue/envelope.h"

static uint8_t list[1 << 20];

static struct bytes
pack(const char *const *addresses, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len = list_add(list, sizeof(list), len, addresses[i],
		    strlen(addresses[i]));
	return (struct bytes){ list, len };
}

static void
parts_by_domain(void **state)
{
	static const char *const in[] = { "z@b.net", "a@c.net", "y@b.net",
		"\"a b\"@c.net", "z@b.net", "x@[192.0.2.1]" };
	struct envelope e;

	(void)state;
	assert_int_equal(envelope_read(&e, pack(in, 6), 100), ENVELOPE_FINE);
	assert_int_equal(e.nrcpts, 5);
	assert_int_equal(e.nparts, 3);
	assert_string_equal(e.parts[0].domain, "[192.0.2.1]");
	assert_string_equal(e.parts[1].domain, "b.net");
	assert_int_equal(e.parts[1].count, 2);
	assert_string_equal(e.rcpts[e.parts[1].first].address, "y@b.net");
	assert_string_equal(e.rcpts[e.parts[1].first + 1].address, "z@b.net");
	assert_string_equal(e.parts[2].domain, "c.net");
	assert_int_equal(e.parts[2].count, 2);
	envelope_clear(&e);
}

static void
parts_are_bounded(void **state)
{
	static char text[250][32];
	const char *in[250];
	struct envelope e;

	(void)state;
	for (int i = 0; i < 250; i++) {
		snprintf(text[i], sizeof(text[i]), "u%d@example.net", i);
		in[i] = text[i];
	}
	assert_int_equal(envelope_read(&e, pack(in, 250), 250), ENVELOPE_FINE);
	assert_int_equal(e.nparts, 3);
	assert_int_equal(e.parts[0].count, JOB_RCPTS);
	assert_int_equal(e.parts[2].count, 50);
	assert_int_equal(e.parts[2].first, 200);
	envelope_clear(&e);
	assert_int_equal(
	    envelope_read(&e, pack(in, 250), 249), ENVELOPE_TOO_MANY);
}

static void
parts_fit_a_row(void **state)
{
	struct rcpt_item r = { .notify = NOTIFY_SUCCESS };
	uint8_t item[RCPT_ITEM_MAX];
	struct envelope e;
	size_t len = 0, n, packed;
	unsigned total = 0;

	(void)state;
	memset(r.orcpt, 'o', sizeof(r.orcpt) - 1);
	for (int i = 0; i < 200; i++) {
		snprintf(r.address, sizeof(r.address),
		    "%060d@%.60s.%.60s.%.60s.example.net", i,
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aa",
		    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		    "bb",
		    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
		    "cc");
		n = rcpt_pack(&r, item);
		len = list_add(list, sizeof(list), len, item, n);
	}
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ list, len }, 200), ENVELOPE_FINE);
	for (unsigned p = 0; p < e.nparts; p++) {
		packed = 0;
		assert_int_equal(e.parts[p].first, total);
		for (unsigned i = 0; i < e.parts[p].count; i++)
			packed += e.rcpts[total + i].item.len + 4;
		assert_true(packed <= RCPTS_MAX);
		total += e.parts[p].count;
	}
	assert_int_equal(total, 200);
	assert_true(e.nparts > 2);
	envelope_clear(&e);
}

static void
options_stay_with_the_first_twin(void **state)
{
	struct rcpt_item r = { .address = "b@c.net", .notify = NOTIFY_NEVER };
	uint8_t item[RCPT_ITEM_MAX];
	struct rcpt_item got;
	struct envelope e;
	size_t len;

	(void)state;
	len = list_add(list, sizeof(list), 0, item, rcpt_pack(&r, item));
	r.notify = NOTIFY_SUCCESS;
	len = list_add(list, sizeof(list), len, item, rcpt_pack(&r, item));
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ list, len }, 2), ENVELOPE_FINE);
	assert_int_equal(e.nrcpts, 1);
	assert_true(rcpt_unpack(&got, e.rcpts[0].item));
	assert_int_equal(got.notify, NOTIFY_NEVER);
	envelope_clear(&e);
}

static void
local_parts_may_be_utf8(void **state)
{
	(void)state;
	assert_true(envelope_address_valid("j\xc3\xbcrgen@example.net"));
	assert_true(envelope_address_valid("\"j\xc3\xbc r\"@example.net"));
	assert_true(envelope_address_valid("\xe5\x90\x8d@xn--fsq.example"));
	assert_false(envelope_address_valid("j\xc3rgen@example.net"));
	assert_false(envelope_address_valid("j\xc2\x9brgen@example.net"));
	assert_false(envelope_address_valid("j@\xc3\xbc.example"));
	assert_false(envelope_address_valid("j\xc3\xbc r@example.net"));
	assert_false(envelope_address_valid("\"j\xc3\xbc\"@example.net"));
}

static void
nothing_is_believed(void **state)
{
	static const char *const bad[] = { "", "a", "a@", "@b", "a@B.net",
		"a@b.net ", "\"a\"@b.net", "a@b..net", "a\r\nb@c.net",
		"postmaster", "a@[1.2.3.4" };
	static const uint8_t with_nul[] = { 0, 7, 'a', '@', 'b', '.', 'n', 0,
		't' };
	static const char control[] = "\0\x11"
				      "a@b.net\0\2rfc822;\r";
	static const uint8_t cut[] = { 0, 9, 'a', '@', 'b' };
	struct envelope e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    envelope_read(&e, pack(&bad[i], 1), 10), ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ with_nul, sizeof(with_nul) }, 10),
	    ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e,
		(struct bytes){ (const uint8_t *)control, sizeof(control) - 1 },
		10),
	    ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ cut, sizeof(cut) }, 10),
	    ENVELOPE_BAD);
	assert_int_equal(
	    envelope_read(&e, (struct bytes){ NULL, 0 }, 10), ENVELOPE_EMPTY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_by_domain),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(parts_fit_a_row),
		cmocka_unit_test(options_stay_with_the_first_twin),
		cmocka_unit_test(local_parts_may_be_utf8),
		cmocka_unit_test(nothing_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
