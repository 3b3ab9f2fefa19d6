/* DNS answers in wire form: what is read, what is refused. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/answer.h"

/* A header for one question and n answers, and the question. */
#define HEAD(rcode, n) "\0\1\x81" rcode "\0\1\0" n "\0\0\0\0"
#define QUESTION(type) "\7example\3net\0\0" type "\0\1"
#define RR(type, len)  "\xc0\x0c\0" type "\0\1\0\0\0\x3c\0" len
#define PARSE(a, type, s) \
	answer_parse(a, type, (const uint8_t *)(s), sizeof(s) - 1)

static void
hosts_come_with_preference(void **state)
{
	struct answer a;

	(void)state;
	assert_true(PARSE(&a, RR_MX,
	    HEAD("\x80", "\2") QUESTION("\x0f")
		RR("\x0f", "\x08") "\0\x0a\3MX1\xc0\x0c" RR(
		    "\x0f", "\x09") "\1\0\2mx\2at\0"));
	assert_int_equal(a.rcode, 0);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.records[0].preference, 10);
	assert_string_equal(a.records[0].host, "mx1.example.net");
	assert_int_equal(a.records[1].preference, 256);
	assert_string_equal(a.records[1].host, "mx.at");
}

static void
null_mx_is_the_root(void **state)
{
	struct answer a;

	(void)state;
	assert_true(PARSE(&a, RR_MX,
	    HEAD("\x80", "\1") QUESTION("\x0f") RR("\x0f", "\3") "\0\0\0"));
	assert_int_equal(a.n, 1);
	assert_string_equal(a.records[0].host, "");
}

static void
addresses_come_behind_an_alias(void **state)
{
	struct answer a;
	char text[NET_TEXT];

	(void)state;
	assert_true(PARSE(&a, RR_A,
	    HEAD("\x80", "\2") QUESTION("\1")
		RR("\5", "\4") "\2mx\0"
			       "\2mx\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"));
	assert_int_equal(a.n, 1);
	net_text((struct sockaddr *)&a.records[0].address.ss, text);
	assert_string_equal(text, "192.0.2.1");
	assert_true(PARSE(&a, RR_AAAA,
	    HEAD("\x80", "\1") QUESTION("\x1c")
		RR("\x1c", "\x10") "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	net_text((struct sockaddr *)&a.records[0].address.ss, text);
	assert_string_equal(text, "2001:db8::1");
}

static void
aliases_are_followed(void **state)
{
	static const char two[] = HEAD("\x80", "\3") QUESTION("\1")
	    RR("\5", "\4") "\2mx\0"
			   "\2MX\0\0\5\0\1\0\0\0\x3c\0\4\2mz\0"
			   "\2mz\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	struct answer a;

	(void)state;
	assert_true(PARSE(&a, RR_A, two));
	assert_true(a.alias);
	assert_string_equal(a.canonical, "mz");
	assert_true(PARSE(&a, RR_CNAME, two));
	assert_int_equal(a.n, 2);
	assert_string_equal(a.records[0].host, "mx");
	assert_true(PARSE(&a, RR_MX,
	    HEAD("\x80", "\1") QUESTION("\x0f") RR("\x0f", "\3") "\0\0\0"));
	assert_false(a.alias);
	assert_string_equal(a.canonical, "example.net");
}

static void
texts_and_certificates_come_as_they_are(void **state)
{
	struct answer a;
	char text[8];

	(void)state;
	assert_true(PARSE(&a, RR_TXT,
	    HEAD("\x80", "\3") QUESTION("\x10") RR("\x10", "\6") "\2v=\2ab" RR(
		"\x10", "\3") "\2a\n" RR("\x10", "\2") "\2a"));
	assert_int_equal(a.n, 3);
	assert_true(answer_text(&a.records[0], text, sizeof(text)));
	assert_string_equal(text, "v=ab");
	assert_true(answer_text(&a.records[0], text, 5));
	assert_false(answer_text(&a.records[0], text, 4));
	assert_false(answer_text(&a.records[1], text, sizeof(text)));
	assert_false(answer_text(&a.records[2], text, sizeof(text)));
	assert_true(PARSE(&a, RR_TLSA,
	    HEAD("\x80", "\1") QUESTION("\x34")
		RR("\x34", "\5") "\3\1\1\xab\xcd"));
	assert_int_equal(a.records[0].len, 5);
	assert_memory_equal(a.records[0].data, "\3\1\1\xab\xcd", 5);
}

static void
no_such_name_is_told(void **state)
{
	struct answer a;

	(void)state;
	assert_true(PARSE(&a, RR_MX, HEAD("\x83", "\0") QUESTION("\x0f")));
	assert_int_equal(a.rcode, 3);
	assert_int_equal(a.n, 0);
}

static void
strange_host_names_are_nobodys(void **state)
{
	struct answer a;

	(void)state;
	assert_true(PARSE(&a, RR_MX,
	    HEAD("\x80", "\2") QUESTION("\x0f") RR("\x0f",
		"\x07") "\0\x0a\3a\rb\0" RR("\x0f", "\x07") "\0\x0a\3a.b\0"));
	assert_int_equal(a.n, 2);
	assert_string_equal(a.records[0].host, "invalid");
	/* Sites are lists of hosts: this one would be two of another's. */
	assert_true(PARSE(&a, RR_MX,
	    HEAD("\x80", "\3") QUESTION("\x0f") RR(
		"\x0f", "\x07") "\0\x0a\3a,b\0" RR("\x0f",
		"\x07") "\0\x0a\3a=b\0" RR("\x0f", "\x07") "\0\x0a\3A_b\0"));
	assert_int_equal(a.n, 3);
	assert_string_equal(a.records[0].host, "invalid");
	assert_string_equal(a.records[1].host, "invalid");
	assert_string_equal(a.records[2].host, "a_b");
}

static void
broken_packets_are_refused(void **state)
{
	static const char mx[] = HEAD("\x80", "\1") QUESTION("\x0f")
	    RR("\x0f", "\x08") "\0\x0a\3mx1\xc0\x0c";
	static const char circle[] = HEAD("\x80", "\1") QUESTION("\x0f")
	    RR("\x0f", "\x04") "\0\x0a\xc0\x2b";
	static const char forward[] = HEAD("\x80", "\1") QUESTION("\x0f")
	    RR("\x0f", "\x04") "\0\x0a\xc0\x2d\0";
	static const char length[] = HEAD("\x80", "\1") QUESTION("\x0f")
	    RR("\x0f", "\x09") "\0\x0a\3mx1\xc0\x0c\0";
	static const char label[] = HEAD("\x80", "\1") QUESTION("\x0f")
	    RR("\x0f", "\x05") "\0\x0a\x80mx";
	static const char quad[] =
	    HEAD("\x80", "\1") QUESTION("\1") RR("\1", "\3") "\1\2\3";
	struct answer a;

	(void)state;
	assert_true(PARSE(&a, RR_MX, mx));
	for (size_t n = 0; n < sizeof(mx) - 1; n++)
		assert_false(answer_parse(&a, RR_MX, (const uint8_t *)mx, n));
	assert_false(PARSE(&a, RR_MX, circle));
	assert_false(PARSE(&a, RR_MX, forward));
	assert_false(PARSE(&a, RR_MX, length));
	assert_false(PARSE(&a, RR_MX, label));
	assert_false(PARSE(&a, RR_A, quad));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_come_with_preference),
		cmocka_unit_test(null_mx_is_the_root),
		cmocka_unit_test(addresses_come_behind_an_alias),
		cmocka_unit_test(aliases_are_followed),
		cmocka_unit_test(texts_and_certificates_come_as_they_are),
		cmocka_unit_test(no_such_name_is_told),
		cmocka_unit_test(strange_host_names_are_nobodys),
		cmocka_unit_test(broken_packets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
