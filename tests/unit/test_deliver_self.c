/* A route that leads back to us, by whatever address. */
#include <ifaddrs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/self.h"

static void
listen_on(const char *ip)
{
	static struct conf conf;

	snprintf(conf.hostname, sizeof(conf.hostname), "mail.example.org");
	conf.nlistens = 1;
	assert_true(net_parse(&conf.listens[0].address, ip, strlen(ip), 25));
	self_configure(&conf);
}

static bool
leads_home(const char *ip, unsigned port)
{
	struct net_address a;

	assert_true(net_parse(&a, ip, strlen(ip), port));
	return self_listens((const struct sockaddr *)&a.ss);
}

static void
knows_itself(void **state)
{
	(void)state;
	listen_on("0.0.0.0");
	assert_true(leads_home("127.0.0.1", 25));
	assert_true(leads_home("127.8.9.10", 25));
	assert_true(leads_home("0.0.0.0", 25));
	assert_true(leads_home("::ffff:0.0.0.0", 25));
	assert_true(leads_home("::ffff:127.0.0.1", 25));
	assert_false(leads_home("0.0.0.0", 26));
	assert_false(leads_home("192.0.2.1", 25));
	listen_on("::");
	assert_true(leads_home("::", 25));
	assert_true(leads_home("::1", 25));
	assert_false(leads_home("2001:db8::1", 25));
	listen_on("127.0.0.1");
	assert_true(leads_home("0.0.0.0", 25));
	assert_false(leads_home("127.0.0.2", 25));
	listen_on("192.0.2.1");
	assert_true(leads_home("192.0.2.1", 25));
	assert_false(leads_home("0.0.0.0", 25));
}

/* Each address of the machine, in both families' words. */
static void
knows_its_interfaces(void **state)
{
	struct ifaddrs *all, *i;
	char ip[NET_TEXT], mapped[NET_TEXT + 8];

	(void)state;
	listen_on("0.0.0.0");
	assert_int_equal(getifaddrs(&all), 0);
	for (i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		net_text(i->ifa_addr, ip);
		snprintf(mapped, sizeof(mapped), "::ffff:%s", ip);
		assert_true(leads_home(ip, 25));
		assert_true(leads_home(mapped, 25));
	}
	freeifaddrs(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_itself),
		cmocka_unit_test(knows_its_interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
