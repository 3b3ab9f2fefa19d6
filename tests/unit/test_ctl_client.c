/*
 * Which of the listeners mail programs of people are sent to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/client.h"
#include "ctl/dns_plan.h"

#define HOST "hostname = mail.example.org\n"
#define OLD  "[listen old]\naddress = [::]:2465\ntls = implicit\nlegacy = yes\n"
#define BEHIND \
	"[listen b]\naddress = [::]:9465\ntls = implicit\nproxy-from = ::1\n"
#define PLAIN   "[listen tls]\naddress = [::]:465\ntls = implicit\n"
#define UPGRADE "[listen starttls]\naddress = [::]:587\ntls = starttls\n"

static void
wrong(void *arg, int line, const char *text, const char *hint)
{
	(void)arg;
	fail_msg("line %d: %s (%s)", line, text, hint);
}

static struct conf *
read_conf(const char *text)
{
	return conf_parse("test", text, strlen(text), wrong, NULL);
}

static void
ports_are_those_that_people_use(void **state)
{
	static const struct {
		const char *conf;
		unsigned implicit, starttls;
	} rows[] = {
		{ HOST PLAIN UPGRADE, 465, 587 },
		{ HOST OLD BEHIND UPGRADE PLAIN, 465, 587 },
		{ HOST OLD BEHIND UPGRADE, 0, 587 },
		{ HOST OLD BEHIND, 9465, 0 },
		{ HOST OLD, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf *c = read_conf(rows[i].conf);
		struct client m;

		assert_int_equal(
		    client_port(c, TLS_MODE_IMPLICIT), rows[i].implicit);
		assert_int_equal(
		    client_port(c, TLS_MODE_STARTTLS), rows[i].starttls);
		assert_int_equal(client_init(&m, "a@example.org", c),
		    rows[i].implicit + rows[i].starttls > 0);
		assert_int_equal(
		    m.nports, !!rows[i].implicit + !!rows[i].starttls);
		conf_free(c);
	}
}

static void
records_name_them(void **state)
{
	struct conf *c = read_conf(HOST OLD BEHIND PLAIN);
	struct dkim_keys keys = { NULL, 0 };
	struct plan p;
	unsigned n = 0;

	(void)state;
	plan_make(&p, "example.org", c, &keys, NULL, false);
	for (size_t i = 0; i < p.n; i++)
		if (strcmp(p.wishes[i].type, "SRV") == 0) {
			assert_string_equal(
			    p.wishes[i].value, "0 1 465 mail.example.org.");
			n++;
		}
	assert_int_equal(n, 1);
	plan_clear(&p);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_those_that_people_use),
		cmocka_unit_test(records_name_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
