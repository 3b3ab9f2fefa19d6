/* Records of a DNS answer as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/rdata.h"
#include "lib/record.h"

#define HEAD(n)        "\0\1\x81\x80\0\1\0" n "\0\0\0\0"
#define QUESTION(type) "\7example\3net\0\0" type "\0\1"
#define RR(type, len)  "\xc0\x0c\0" type "\0\1\0\0\0\x3c\0" len

struct row {
	const char *name;
	unsigned type;
	const char *packet;
	size_t n;
	const char *first, *second; /* NULL: there is none */
};

#define P(s) (s), sizeof(s) - 1

static const struct row good[] = {
	{ "A", 1,
	    P(HEAD("\2") QUESTION("\1")
		    RR("\1", "\4") "\xc0\0\2\1" RR("\1", "\4") "\xc0\0\2\2"),
	    "192.0.2.1", "192.0.2.2" },
	{ "MX", 15,
	    P(HEAD("\1") QUESTION("\x0f") RR("\x0f", "\7") "\0\x0a\2MX\xc0"
							   "\x0c"),
	    "10 mx.example.net", NULL },
	{ "SRV", 33,
	    P(HEAD("\1") QUESTION("\x21")
		    RR("\x21", "\x0b") "\0\0\0\1\1\xd1\2ms\xc0\x0c"),
	    "0 1 465 ms.example.net", NULL },
	{ "TXT of several strings", 16,
	    P(HEAD("\1") QUESTION("\x10") RR("\x10", "\7") "\3v=D\0\1K"),
	    "v=DK", NULL },
	{ "others are passed over", 16,
	    P(HEAD("\2") QUESTION("\x10")
		    RR("\1", "\4") "\xc0\0\2\1" RR("\x10", "\2") "\1x"),
	    "x", NULL },
	{ "none", 12, P(HEAD("\0") QUESTION("\x0c")), NULL, NULL },
};

static const struct row bad[] = {
	{ "an address of five bytes", 1,
	    P(HEAD("\1") QUESTION("\1") RR("\1", "\5") "\xc0\0\2\1\1"), NULL,
	    NULL },
	{ "a string over the end", 16,
	    P(HEAD("\1") QUESTION("\x10") RR("\x10", "\2") "\4xxxxx"), NULL,
	    NULL },
	{ "a name over the end", 12,
	    P(HEAD("\1") QUESTION("\x0c") RR("\x0c", "\2") "\2mx\0"), NULL,
	    NULL },
	{ "SRV without a name", 33,
	    P(HEAD("\1") QUESTION("\x21") RR("\x21", "\6") "\0\0\0\1\1\xd1"),
	    NULL, NULL },
	{ "cut short", 16, P(HEAD("\1") QUESTION("\x10") "\xc0\x0c"), NULL,
	    NULL },
};

static void
expect(struct bytes *rest, const char *text)
{
	struct bytes item;

	if (text == NULL) {
		assert_false(list_next(rest, &item));
		return;
	}
	assert_true(list_next(rest, &item));
	assert_int_equal(item.len, strlen(text));
	assert_memory_equal(item.data, text, item.len);
}

static void
is_told(void **state)
{
	const struct row *r = *state;
	uint8_t list[1000];
	struct bytes rest = { list, 0 };

	assert_true(rdata_list(r->type, (const uint8_t *)r->packet, r->n, list,
	    sizeof(list), &rest.len));
	expect(&rest, r->first);
	expect(&rest, r->second);
	assert_int_equal(rest.len, 0);
}

static void
is_refused(void **state)
{
	const struct row *r = *state;
	uint8_t list[1000];
	size_t len;

	assert_false(rdata_list(r->type, (const uint8_t *)r->packet, r->n, list,
	    sizeof(list), &len));
	assert_int_equal(len, 0);
}

static void
what_does_not_fit_is_left_out(void **state)
{
	uint8_t list[12];
	size_t len;

	(void)state;
	assert_true(rdata_list(1, (const uint8_t *)good[0].packet, good[0].n,
	    list, sizeof(list), &len));
	assert_int_equal(len, 2 + strlen(good[0].first));
	assert_false(rdata_knows(0));
	assert_true(rdata_knows(28));
}

int
main(void)
{
	struct CMUnitTest tests[20] = {
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};
	size_t n = 1;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		tests[n++] = (struct CMUnitTest){ .name = good[i].name,
			.test_func = is_told,
			.initial_state = (void *)(uintptr_t)&good[i] };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tests[n++] = (struct CMUnitTest){ .name = bad[i].name,
			.test_func = is_refused,
			.initial_state = (void *)(uintptr_t)&bad[i] };
	return _cmocka_run_group_tests("rdata", tests, n, NULL, NULL);
}
