/*
 * The PROXY protocol: what is a header, whose address it tells, and where it
 * ends, whatever the pieces it comes in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net.h"
#include "lib/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(s)     SIGNATURE s, sizeof(SIGNATURE s) - 1
#define V1(s)     s, sizeof(s) - 1
#define ZERO8     "\0\0\0\0\0\0\0\0"

/* clang-format off */
static const struct {
	const char *text;
	size_t len;
	enum proxy result;
	const char *client; /* "" untouched */
} headers[] = {
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 56324 465\r\n"), PROXY_OK, "192.0.2.1:56324" },
	{ V1("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), PROXY_OK, "2001:db8::1:1" },
	{ V1("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  PROXY_OK, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535" },
	{ V1("PROXY UNKNOWN\r\n"), PROXY_OK, "" },
	{ V1("PROXY UNKNOWN ffff::1 anything goes\r\n"), PROXY_OK, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 56324 465\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 56324 465 \r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1  198.51.100.1 56324 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 056324 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 65536 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 -1 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.256 198.51.100.1 1 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 2001:db8::1 198.51.100.1 1 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.1 1 465\0\r\n"), PROXY_BAD, "" },
	{ V1("PROXY UDP4 192.0.2.1 198.51.100.1 1 465\r\n"), PROXY_BAD, "" },
	{ V1("PROXY \r\n"), PROXY_BAD, "" },
	{ V1("PROXY \n"), PROXY_BAD, "" },
	{ V1("proxy TCP4 192.0.2.1 198.51.100.1 1 465\r\n"), PROXY_BAD, "" },
	{ V1("EHLO me\r\n"), PROXY_BAD, "" },
	{ V1("\x16\x03\x01"), PROXY_BAD, "" },
	{ V2("\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xd1"), PROXY_OK, "192.0.2.1:56324" },
	/* With a TLV behind, which nobody reads. */
	{ V2("\x21\x11\0\x10\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xd1\4\0\1\0"), PROXY_OK, "192.0.2.1:56324" },
	{ V2("\x21\x21\0\x24\x20\1\x0d\xb8" ZERO8 "\0\0\0\1" "\x20\1\x0d\xb8" ZERO8 "\0\0\0\2" "\0\7\1\xd1"),
	  PROXY_OK, "2001:db8::1:7" },
	{ V2("\x20\x00\0\0"), PROXY_OK, "" },
	{ V2("\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xd1"), PROXY_OK, "" },
	{ V2("\x21\x00\0\3abc"), PROXY_OK, "" },
	{ V2("\x11\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xd1"), PROXY_BAD, "" },
	{ V2("\x22\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xd1"), PROXY_BAD, "" },
	{ V2("\x21\x12\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xd1"), PROXY_BAD, "" },
	{ V2("\x21\x31\0\xd8"), PROXY_BAD, "" },
	{ V2("\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1"), PROXY_BAD, "" },
	{ V2("\x21\x21\0\x23"), PROXY_BAD, "" },
	{ V2("\x20\x00\x08\x01"), PROXY_BAD, "" },
	{ V2("\x20\x00\xff\xff"), PROXY_BAD, "" },
};
/* clang-format on */

static void
told(const struct sockaddr_storage *ss, char out[80])
{
	char ip[NET_TEXT];

	out[0] = '\0';
	if (ss->ss_family == AF_UNSPEC)
		return;
	net_text((const struct sockaddr *)ss, ip);
	snprintf(out, 80, "%s:%u", ip, net_port((const struct sockaddr *)ss));
}

static void
test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		struct sockaddr_storage client = { 0 };
		unsigned char p[200] = "";
		size_t n = headers[i].len, used = 0;
		char text[80];

		/* What is behind it is none of its business. */
		memcpy(p, headers[i].text, n);
		memcpy(p + n, "\x16\x03\x01", 3);
		if (proxy_parse(p, n + 3, &client, &used) != headers[i].result)
			fail_msg("row %zu: %.*s", i, (int)n, headers[i].text);
		told(&client, text);
		assert_string_equal(text, headers[i].client);
		if (headers[i].result == PROXY_OK)
			assert_int_equal(used, n);
	}
}

static void
test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		struct sockaddr_storage client = { 0 };
		size_t used;

		if (headers[i].result != PROXY_OK)
			continue;
		for (size_t n = 1; n < headers[i].len; n++)
			assert_int_equal(
			    proxy_parse((const unsigned char *)headers[i].text,
				n, &client, &used),
			    PROXY_MORE);
		assert_int_equal(client.ss_family, AF_UNSPEC);
	}
}

static void
test_endless(void **state)
{
	unsigned char p[PROXY_MOST];
	struct sockaddr_storage client = { 0 };
	size_t used;

	(void)state;
	memset(p, 'x', sizeof(p));
	memcpy(p, "PROXY UNKNOWN ", 14);
	assert_int_equal(proxy_parse(p, 106, &client, &used), PROXY_MORE);
	assert_int_equal(proxy_parse(p, 107, &client, &used), PROXY_BAD);
	memcpy(p + 105, "\r\n", 2);
	assert_int_equal(proxy_parse(p, 107, &client, &used), PROXY_OK);
	memcpy(p + 105, "x\r\n", 3);
	assert_int_equal(proxy_parse(p, 108, &client, &used), PROXY_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
