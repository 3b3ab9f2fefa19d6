/* The lines that the server adds. */
#include "test_mail.h"

#include "mail/trace.h"

#define WHEN 1795291200
#define L63  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define D255 L63 "." L63 "." L63 "." L63

struct row {
	const char *name;
	struct trace t;
	const char *out;
};

static const struct row rows[] = {
	{ "submission over TLS",
	    { "mail.example.org", 0x123456789, WHEN, 1, 1, 1, 0, 0, 0, 0 },
	    "Received: by mail.example.org (postern) with ESMTPSA id "
	    "0000004hmasw9;\r\n\tSat, 21 Nov 2026 20:00:00 +0000\r\n" },
	{ "longer host name",
	    { "a-longer-mail-host-name.example.org", 1, WHEN, 1, 1, 1, 0, 0, 0,
		0 },
	    "Received: by a-longer-mail-host-name.example.org (postern)\r\n"
	    "\twith ESMTPSA id 0000000000001;\r\n"
	    "\tSat, 21 Nov 2026 20:00:00 +0000\r\n" },
	{ "with a date", { "a.b", 1, WHEN, 1, 0, 0, 0, 1, 0, 0 },
	    "Received: by a.b (postern) with ESMTP id 0000000000001;\r\n"
	    "\tSat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "Date: Sat, 21 Nov 2026 20:00:00 +0000\r\n" },
	{ "with a Message-ID", { "a.b", 1, WHEN, 1, 1, 0, 0, 0, 1, 0 },
	    "Received: by a.b (postern) with ESMTPS id 0000000000001;\r\n"
	    "\tSat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "Message-ID: <0000000000001@a.b>\r\n" },
	{ "with a tag", { "a.b", 1, WHEN, 1, 1, 1, 0, 0, 0, UINT64_MAX },
	    "Received: by a.b (postern) with ESMTPSA"
	    " id 0000000000001-fzzzzzzzzzzzz;\r\n"
	    "\tSat, 21 Nov 2026 20:00:00 +0000\r\n" },
	{ "with both", { "a.b", 1, WHEN, 0, 1, 1, 1, 1, 1, 0 },
	    "Received: by a.b (postern) with SMTP id 0000000000001;\r\n"
	    "\tSat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "Date: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "Message-ID: <0000000000001@a.b>\r\n" },
};

static void
writes(void **state)
{
	const struct row *r = *state;
	char out[TRACE_MAX], *small;

	assert_int_equal(
	    trace_headers(&r->t, out, sizeof(out)), strlen(r->out));
	assert_string_equal(out, r->out);
	/* Room for all of it, and for one byte less. */
	for (size_t size = 0; size <= strlen(r->out) + 1; size++) {
		small = malloc(size > 0 ? size : 1);
		assert_non_null(small);
		assert_int_equal(trace_headers(&r->t, small, size),
		    size > strlen(r->out) ? strlen(r->out) : 0);
		free(small);
	}
}

static void
folds(void **state)
{
	(void)state;
	/* Host names of every length: no line over 78 that need not be. */
	for (size_t n = 1; n <= 255; n++) {
		char host[256] = D255, out[TRACE_MAX];
		struct trace t = { host, 1, WHEN, 1, 1, 1, 0, 1, 1, 0 };
		const char *p = out, *end;

		host[n] = '\0';
		assert_true(trace_headers(&t, out, sizeof(out)) > 0);
		for (; (end = strstr(p, "\r\n")) != NULL; p = end + 2)
			assert_true(end - p <= 78 || n > 46);
		assert_string_equal(p, "");
	}
}

static void
names_protocols(void **state)
{
	(void)state;
	assert_string_equal(trace_protocol(0, 0, 0, 0), "SMTP");
	assert_string_equal(trace_protocol(1, 0, 0, 0), "ESMTP");
	assert_string_equal(trace_protocol(1, 1, 0, 0), "ESMTPS");
	assert_string_equal(trace_protocol(1, 0, 1, 0), "ESMTPA");
	assert_string_equal(trace_protocol(1, 1, 1, 0), "ESMTPSA");
	assert_string_equal(trace_protocol(1, 0, 0, 1), "UTF8SMTP");
	assert_string_equal(trace_protocol(1, 1, 0, 1), "UTF8SMTPS");
	assert_string_equal(trace_protocol(1, 0, 1, 1), "UTF8SMTPA");
	assert_string_equal(trace_protocol(1, 1, 1, 1), "UTF8SMTPSA");
}

int
main(void)
{
	ADD_TABLE(rows, writes);
	add("lines of 78", folds, NULL);
	add("protocol names", names_protocols, NULL);
	return run_cases("mail/trace");
}
