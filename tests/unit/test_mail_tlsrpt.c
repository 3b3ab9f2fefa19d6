/* The words of TLS reports: who asks for them, and what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/tlsrpt.h"

static void
records(void **state)
{
	static const struct {
		const char *txt, *rua; /* NULL: none */
	} rows[] = {
		{ "v=TLSRPTv1; rua=mailto:reports@example.com",
		    "mailto:reports@example.com" },
		{ "v=TLSRPTv1;rua=https://a.example/v1;",
		    "https://a.example/v1" },
		{ "v=TLSRPTv1; rua=mailto:a@b.example , https://c.example/",
		    "mailto:a@b.example https://c.example/" },
		{ "v=TLSRPTv1; rua=http://a.example,MAILTO:a@b.example",
		    "MAILTO:a@b.example" },
		{ "v=TLSRPTv1; rua=mailto:1@a,mailto:2@a,mailto:3@a,mailto:4@a,"
		  "mailto:5@a",
		    "mailto:1@a mailto:2@a mailto:3@a mailto:4@a" },
		{ "v=TLSRPTv1; rua=mailto:a@b.example; x=y",
		    "mailto:a@b.example" },
		{ "v=TLSRPTv1; rua=", NULL },
		{ "v=TLSRPTv1; rua=mailto:", NULL },
		{ "v=TLSRPTv1; rua=mailto:a b@c.example", NULL },
		{ "v=TLSRPTv1; rua=http://a.example", NULL },
		{ "v=TLSRPTv1", NULL },
		{ "v=TLSRPTv12; rua=mailto:a@b.example", NULL },
		{ "rua=mailto:a@b.example; v=TLSRPTv1", NULL },
		{ "v=spf1 -all", NULL },
		{ "", NULL },
	};
	char rua[TLSRPT_RUA_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool ok = tlsrpt_read_record(rows[i].txt, rua);

		if (ok != (rows[i].rua != NULL))
			fail_msg("%s", rows[i].txt);
		if (ok)
			assert_string_equal(rua, rows[i].rua);
	}
}

static void
bounds(void **state)
{
	char txt[2 * TLSRPT_URI_SIZE], rua[TLSRPT_RUA_SIZE];
	int n = sprintf(txt, "v=TLSRPTv1; rua=https://");

	(void)state;
	memset(txt + n, 'a', TLSRPT_URI_SIZE - 9);
	txt[n + TLSRPT_URI_SIZE - 9] = '\0';
	assert_true(tlsrpt_read_record(txt, rua));
	assert_int_equal(strlen(rua), TLSRPT_URI_SIZE - 1);
	strcat(txt, "a");
	assert_false(tlsrpt_read_record(txt, rua));
}

static void
places(void **state)
{
	char uri[TLSRPT_URI_SIZE], to[TLSRPT_URI_SIZE];
	const char *rua =
	    "mailto:tls%2dr@a.example?subject=x https://b.example/";

	(void)state;
	assert_true(tlsrpt_place(rua, 0, uri));
	assert_true(tlsrpt_mailto(uri, to));
	assert_string_equal(to, "tls-r@a.example");
	assert_true(tlsrpt_place(rua, 1, uri));
	assert_string_equal(uri, "https://b.example/");
	assert_false(tlsrpt_mailto(uri, to));
	assert_false(tlsrpt_place(rua, 2, uri));
	assert_false(tlsrpt_place("", 0, uri));
	/* A list that no record gave. */
	assert_true(tlsrpt_place("a b c d e f", 3, uri));
	assert_false(tlsrpt_place("a b c d e f", 4, uri));
	assert_false(tlsrpt_mailto("mailto:a%0d%0ab@a.example", to));
	assert_false(tlsrpt_mailto("mailto:a%2", to));
	assert_false(tlsrpt_mailto("mailto:?to=a@b.example", to));
}

static void
put(void *arg, const char *s, size_t n)
{
	strncat(arg, s, n);
}

static const struct tlsrpt_failure failures[] = {
	{ TLSRPT_EXPIRED, "192.0.2.1", "mx.example.net", "198.51.100.2",
	    "he said \"no\"\\\n\xff", 100 },
	{ TLSRPT_NO_STARTTLS, "", "", "", "", 3 },
};
static const struct tlsrpt_applied policies[] = {
	{ TLSRPT_STS,
	    "version: STSv1\nmode: testing\nmx: *.a.example\n"
	    "mx: b.example\nmax_age: 86400",
	    5326, 103, failures, 2 },
	{ TLSRPT_NO_POLICY, "", 7, 0, NULL, 0 },
};
static const struct tlsrpt report = { .submitter = "example.org",
	.contact = "sts@example.org",
	.domain = "example.net",
	.begin = 1459468800,
	.end = 1459555199,
	.policies = policies,
	.npolicies = 2 };

static const char wanted[] =
    "{\n"
    "  \"organization-name\": \"example.org\",\n"
    "  \"date-range\": {\n"
    "    \"start-datetime\": \"2016-04-01T00:00:00Z\",\n"
    "    \"end-datetime\": \"2016-04-01T23:59:59Z\"\n"
    "  },\n"
    "  \"contact-info\": \"sts@example.org\",\n"
    "  \"report-id\": \"2016-04-01T00:00:00Z_example.net@example.org\",\n"
    "  \"policies\": [\n"
    "    {\n"
    "      \"policy\": {\n"
    "        \"policy-type\": \"sts\",\n"
    "        \"policy-string\": [\"version: STSv1\", \"mode: testing\", "
    "\"mx: *.a.example\", \"mx: b.example\", \"max_age: 86400\"],\n"
    "        \"policy-domain\": \"example.net\",\n"
    "        \"mx-host\": [\"*.a.example\", \"b.example\"]\n"
    "      },\n"
    "      \"summary\": {\n"
    "        \"total-successful-session-count\": 5326,\n"
    "        \"total-failure-session-count\": 103\n"
    "      },\n"
    "      \"failure-details\": [\n"
    "        {\n"
    "          \"result-type\": \"certificate-expired\",\n"
    "          \"sending-mta-ip\": \"192.0.2.1\",\n"
    "          \"receiving-mx-hostname\": \"mx.example.net\",\n"
    "          \"receiving-ip\": \"198.51.100.2\",\n"
    "          \"failed-session-count\": 100,\n"
    "          \"failure-reason-code\": \"he said \\\"no\\\"\\\\??\"\n"
    "        },\n"
    "        {\n"
    "          \"result-type\": \"starttls-not-supported\",\n"
    "          \"failed-session-count\": 3\n"
    "        }\n"
    "      ]\n"
    "    },\n"
    "    {\n"
    "      \"policy\": {\n"
    "        \"policy-type\": \"no-policy-found\",\n"
    "        \"policy-domain\": \"example.net\"\n"
    "      },\n"
    "      \"summary\": {\n"
    "        \"total-successful-session-count\": 7,\n"
    "        \"total-failure-session-count\": 0\n"
    "      }\n"
    "    }\n"
    "  ]\n"
    "}\n";

static void
json(void **state)
{
	char out[8192] = "";

	(void)state;
	tlsrpt_write_json(&report, put, out);
	assert_string_equal(out, wanted);
}

static void
message(void **state)
{
	static const char *const lines[] = {
		"\r\nTo: <r@example.net>\r\n",
		"\r\nSubject: Report Domain: example.net\r\n"
		" Submitter: example.org\r\n Report-ID: <",
		"\r\nTLS-Report-Domain: example.net\r\n",
		"\r\nTLS-Report-Submitter: example.org\r\n",
		"\r\nTLS-Required: No\r\n",
		"Content-Type: multipart/report; report-type=\"tlsrpt\";",
		"\r\nContent-Type: application/tlsrpt+json\r\n",
		"filename=\"example.org!example.net!1459468800!1459555199"
		".json\"\r\n\r\ne30K\r\n--",
	};
	char out[8192] = "";
	struct tlsrpt_message m = { "postmaster@example.org", "r@example.net",
		7, 1459555300, "{}\n", 3 };

	(void)state;
	tlsrpt_write_message(&report, &m, put, out);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (strstr(out, lines[i]) == NULL)
			fail_msg("%s is not in %s", lines[i], out);
	assert_int_equal(strncmp(out, "From: ", 6), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(bounds),
		cmocka_unit_test(places),
		cmocka_unit_test(json),
		cmocka_unit_test(message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
