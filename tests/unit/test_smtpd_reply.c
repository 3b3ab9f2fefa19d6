/* Whatever goes into a reply, a reply comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/handler.h"

static struct buf out;
static struct session s = { .out = &out };

static void
said(const char *want)
{
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(buf_data(&out), want, out.len);
	buf_release(&out);
}

static void
test_form(void **state)
{
	(void)state;
	assert_int_equal(reply(&s, 250, "2.1.0", "sender %s", "ok"), 250);
	said("250 2.1.0 sender ok\r\n");
	reply(&s, 334, "", "%s", "");
	said("334 \r\n");
	reply_line(&s, 250, "", "PIPELINING");
	said("250-PIPELINING\r\n");
}

static void
test_hostile_text(void **state)
{
	char text[2000];

	(void)state;
	reply(&s, 550, "5.7.1", "%s", "a\r\n250 b\tc\x7f\xc3\xa4");
	said("550 5.7.1 a??250 b?c???\r\n");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	reply(&s, 550, "5.123.456", "%s", text);
	/* RFC 5321 4.5.3.1.5 */
	assert_true(out.len <= 512);
	assert_memory_equal(buf_data(&out) + out.len - 3, "x\r\n", 3);
	buf_release(&out);
}

static void
outcome(uint32_t verdict, uint32_t code, const char *status, int want_code,
    const char *want_status)
{
	struct outcome o;

	outcome_set(&o, verdict, code, status, "text");
	assert_int_equal(o.code, want_code);
	assert_string_equal(o.status, want_status);
	assert_string_equal(o.text, "text");
}

static void
test_outcomes(void **state)
{
	struct outcome o;

	(void)state;
	outcome(V_OK, 235, "2.7.0", 235, "2.7.0");
	outcome(V_TEMP, 454, "4.7.0", 454, "4.7.0");
	outcome(V_PERM, 535, "5.7.8", 535, "5.7.8");
	/* Codes that belie their verdict. */
	outcome(V_PERM, 250, "2.0.0", 550, "5.7.1");
	outcome(V_PERM, 550, "4.7.1", 550, "5.7.1");
	outcome(V_TEMP, 0, "", 451, "4.3.0");
	outcome(V_TEMP, 4, "4.3.0", 451, "4.3.0");
	outcome(V_OK, 354, "2.0.0", 250, "2.0.0");
	outcome(V_COUNT, 250, "2.0.0", 451, "4.3.0");
	outcome(UINT32_MAX, 250, "2.0.0", 451, "4.3.0");
	outcome(V_PERM, 5500, "5.0.0", 550, "5.7.1");
	outcome_set(&o, V_TEMP, 451, "4.3.0", "");
	assert_string_not_equal(o.text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
