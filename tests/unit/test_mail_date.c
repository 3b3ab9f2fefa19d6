/* Dates, against the C library's calendar. */
#include "test_mail.h"

#include "mail/date.h"

struct row {
	const char *name;
	time_t when;
	const char *mail, *log;
};

static const struct row rows[] = {
	{ "the epoch", 0, "Thu, 01 Jan 1970 00:00:00 +0000",
	    "1970-01-01T00:00:00Z" },
	{ "before the epoch", -1, "Thu, 01 Jan 1970 00:00:00 +0000",
	    "1970-01-01T00:00:00Z" },
	{ "a Saturday", 1795291200, "Sat, 21 Nov 2026 20:00:00 +0000",
	    "2026-11-21T20:00:00Z" },
	{ "a leap day", 1709251199, "Thu, 29 Feb 2024 23:59:59 +0000",
	    "2024-02-29T23:59:59Z" },
	{ "the leap day of 2000", 951782400, "Tue, 29 Feb 2000 00:00:00 +0000",
	    "2000-02-29T00:00:00Z" },
	{ "no leap day in 2100", 4107542400, "Mon, 01 Mar 2100 00:00:00 +0000",
	    "2100-03-01T00:00:00Z" },
	{ "beyond 32 bits", 2147483648, "Tue, 19 Jan 2038 03:14:08 +0000",
	    "2038-01-19T03:14:08Z" },
	{ "the last one", 253402300799, "Fri, 31 Dec 9999 23:59:59 +0000",
	    "9999-12-31T23:59:59Z" },
	{ "after the last one", 253402300800, "Fri, 31 Dec 9999 23:59:59 +0000",
	    "9999-12-31T23:59:59Z" },
	{ "the end of time", INT64_MAX, "Fri, 31 Dec 9999 23:59:59 +0000",
	    "9999-12-31T23:59:59Z" },
	{ "the beginning of time", INT64_MIN, "Thu, 01 Jan 1970 00:00:00 +0000",
	    "1970-01-01T00:00:00Z" },
};

static void
formats(void **state)
{
	const struct row *t = *state;
	char out[DATE_MAX];

	assert_int_equal(date_rfc5322(t->when, out), 31);
	assert_string_equal(out, t->mail);
	assert_int_equal(date_rfc3339(t->when, out), 20);
	assert_string_equal(out, t->log);
}

static void
agrees_with_the_library(void **state)
{
	char out[DATE_MAX], want[64];

	(void)state;
	/* Every day of 1970 to 2500, at another time of day each. */
	for (time_t day = 0; day < 193628; day++) {
		time_t when = day * 86400 + day * 7919 % 86400;
		struct tm tm;

		gmtime_r(&when, &tm);
		date_rfc5322(when, out);
		strftime(
		    want, sizeof(want), "%a, %d %b %Y %H:%M:%S +0000", &tm);
		assert_string_equal(out, want);
	}
}

struct text {
	const char *name;
	bool ok;
	int64_t when;
};

static const struct text texts[] = {
	{ "2026-11-21T20:00:00Z", true, 1795291200 },
	{ "2026-11-21t20:00:00z", true, 1795291200 },
	{ "2026-11-21T20:00:00.75Z", true, 1795291200 },
	{ "2026-11-21T21:30:00+01:30", true, 1795291200 },
	{ "2026-11-21T15:00:00-05:00", true, 1795291200 },
	{ "2024-02-29T23:59:60Z", true, 1709251200 },
	{ "1969-12-31T23:59:59Z", true, -1 },
	{ "0000-03-01T00:00:00Z", true, -62162035200 },
	{ "9999-12-31T23:59:59Z", true, 253402300799 },
	{ "2023-02-29T00:00:00Z", false, 0 },
	{ "2026-13-01T00:00:00Z", false, 0 },
	{ "2026-00-01T00:00:00Z", false, 0 },
	{ "2026-01-00T00:00:00Z", false, 0 },
	{ "2026-11-31T00:00:00Z", false, 0 },
	{ "2026-11-21T24:00:00Z", false, 0 },
	{ "2026-11-21T20:60:00Z", false, 0 },
	{ "2026-11-21T20:00:61Z", false, 0 },
	{ "2026-11-21 20:00:00Z", false, 0 },
	{ "2026-11-21T20:00:00", false, 0 },
	{ "2026-11-21T20:00:00.Z", false, 0 },
	{ "2026-11-21T20:00:00+0100", false, 0 },
	{ "2026-11-21T20:00:00+24:00", false, 0 },
	{ "2026-11-21T20:00:00Zx", false, 0 },
	{ "2026-11-21T20:00Z", false, 0 },
	{ "1795291200", false, 0 },
	{ "", false, 0 },
};

static void
reads(void **state)
{
	const struct text *t = *state;
	char *in = exact(t->name, strlen(t->name));
	int64_t when = 0;

	assert_int_equal(date_read_rfc3339(in, strlen(t->name), &when), t->ok);
	free(in);
	if (t->ok)
		assert_true(when == t->when);
}

int
main(void)
{
	ADD_TABLE(texts, reads);

	ADD_TABLE(rows, formats);
	add("every day of 530 years", agrees_with_the_library, NULL);
	return run_cases("mail/date");
}
