/*
 * The configuration: what it means, and that every mistake is told with its
 * line and a remedy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/conf.h"

#define BASE \
	"hostname = mail.example.org\n" \
	"[tls]\ncertificate = /c.pem\nkey = /k.pem\n" \
	"[listen submissions]\naddress = 127.0.0.1:465, [::1]:465\n" \
	"tls = implicit\n"

static char said[4096];

static void
on_error(void *arg, int line, const char *text, const char *hint)
{
	size_t n = strlen(said);

	++*(int *)arg;
	snprintf(said + n, sizeof(said) - n, "%d: %s%s%s\n", line, text,
	    *hint ? " | " : "", hint);
}

static struct conf *
parse(const char *text)
{
	int errors = 0;

	said[0] = '\0';
	return conf_parse("t", text, strlen(text), on_error, &errors);
}

/* What can be read of a file with errors. */
static struct conf *
salvage(const char *text)
{
	int errors;
	struct conf *c = conf_salvage("t", text, strlen(text), &errors);

	assert_true(errors > 0);
	assert_null(parse(text));
	return c;
}

/* Which server a file with errors is about: the one that it names, the usual
 * one, or nobody knows. */
static void
test_salvage(void **state)
{
	static const struct {
		const char *text, *run;
	} cases[] = {
		{ BASE "typo = 1\n", "/run/postern" },
		{ BASE "[limits]\nper-hour = many\nno sign\n", "/run/postern" },
		{ BASE "[paths]\nrun = /r\ntypo = 1\nno sign\n", "/r" },
		{ BASE "[pahts]\nstate = /s\n[paths]\nrun = /r\n", "/r" },
		{ "[paths]\nrun = /r\n", "/r" }, /* no hostname */
		{ BASE "[paths]\nrnu = /r\n", "" },
		{ BASE "[paths]\nrun /r\n", "" },
		{ BASE "[paths]\nrun = r\n", "" },
		{ BASE "[paths]\nrun = /r\nrun = /q\n", "" },
		{ BASE "[pahts]\nrun = /r\n", "" },
		{ BASE "[paths\nrun = /r\n", "" },
		{ BASE "run = /r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c = salvage(cases[i].text);

		if (strcmp(c->run, cases[i].run) != 0)
			fail_msg("%zu: \"%s\"", i, c->run);
		conf_free(c);
	}
}

/* Whether the certificates may be others than those that can be read of. */
static void
test_salvage_certificates(void **state)
{
	static const struct {
		const char *text;
		bool doubtful;
	} cases[] = {
		{ BASE "typo = 1\n", false },
		{ BASE "[limits\nper-hour = 1\n", false },
		{ BASE "[pahts]\nrun = /r\n", false },
		{ BASE "[route *]\nvia = mx:0\n", false },
		{ "[tls]\ncertificate = /c.pem\nkey = /k.pem\n", false },
		{ BASE "[tls]\nkyy = /k\n", true },
		{ BASE "[tls]\nkey = /k\n", true },
		{ BASE "[tls x.example]\nkey = k\n", true },
		{ BASE "[tls x.example]\nkey = /k\n", true },
		{ BASE "[tls x_example]\nkey = /k\n", true },
		{ BASE "[tsl x.example]\nkey = /k\n", true },
		{ BASE "[tls x.example\n", true },
		{ BASE "tls x.example]\nkey = /k\n", true },
		{ BASE "certificat = /k\n", true },
		{ BASE "[paths]\nstate = s\n", true },
		{ BASE "[pahts]\nstate = /s\n", true },
		{ BASE "state = /s\n", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c = salvage(cases[i].text);

		if (c->tls_doubtful != cases[i].doubtful)
			fail_msg("%zu: %d", i, c->tls_doubtful);
		conf_free(c);
	}
}

static void
test_lines(void **state)
{
	struct conf *c = parse(BASE "[users]\nauth = a\n");

	(void)state;
	assert_int_equal(conf_line(c, "", "hostname"), 1);
	assert_int_equal(conf_line(c, "tls", "key"), 4);
	assert_int_equal(conf_line(c, "users", "auth"), 9);
	assert_int_equal(conf_line(c, "users", "queue"), 0);
	conf_free(c);
}

static void
test_defaults(void **state)
{
	struct conf *c = parse(BASE);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->hostname, "mail.example.org");
	assert_int_equal(c->message_size, 35 * 1024 * 1024);
	assert_int_equal(c->recipients, 100);
	assert_int_equal(c->give_up_s, 5 * 86400);
	assert_int_equal(c->nretries, 8);
	assert_int_equal(c->retry_s[0], 60);
	assert_int_equal(c->nlistens, 2);
	assert_int_equal(c->listens[1].tls, TLS_MODE_IMPLICIT);
	assert_string_equal(c->user_queue, "_posternq");
	assert_string_equal(c->trust_anchor, CONF_ROOT_KEY);
	conf_free(c);
	c = parse("hostname = a.b\n[paths]\nstate = /s\n"
		  "[listen x]\naddress = 127.0.0.1\ntls = starttls\n");
	assert_non_null(c);
	assert_string_equal(c->tls[0].certificate, "/s/tls/cert.pem");
	assert_string_equal(c->tls[0].key, "/s/tls/key.pem");
	assert_int_equal(
	    net_port((struct sockaddr *)&c->listens[0].address.ss), 587);
	conf_free(c);
}

static void
test_values(void **state)
{
	struct conf *c = parse(
	    BASE "# a comment\n; another\n"
		 "[limits]\n"
		 "  message-size = 110M ; indented, with a comment behind\n"
		 "\trecipients=7\nper-hour = 300/hour\nper-day = 2000/day\r\n"
		 "[queue]\ngive-up = 36h\nretry = 1s, 2m\n"
		 "[dns]\nserver = 127.0.0.1@5353\n"
		 "[log]\nsyslog = yes\n");

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->message_size, 110 * 1024 * 1024);
	assert_int_equal(c->recipients, 7);
	assert_int_equal(c->rcpts_hour, 300);
	assert_int_equal(c->rcpts_day, 2000);
	assert_int_equal(c->give_up_s, 36 * 3600);
	assert_int_equal(c->nretries, 2);
	assert_int_equal(c->retry_s[1], 120);
	assert_string_equal(c->dns_server, "127.0.0.1@5353");
	assert_string_equal(c->trust_anchor, "");
	assert_true(c->syslog);
	conf_free(c);
}

/* Who raises one limit does not run into another that he did not name. */
static void
test_followers(void **state)
{
	struct conf *c = parse(BASE "[limits]\nper-hour = 3000\n"
				    "per-day = 100000000\n");

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->messages_hour, 2000);
	assert_int_equal(c->messages_day, 50000000);
	assert_int_equal(c->new_day, 4500000);
	assert_int_equal(c->guard_new, 9000000);
	assert_int_equal(c->guard_rate, 1500);
	assert_string_equal(conf_raised_with(c, "limits", "messages-per-hour"),
	    "limits.per-hour");
	assert_string_equal(conf_raised_with(c, "guard", "new-recipients"),
	    "limits.new-per-day");
	assert_null(conf_raised_with(c, "limits", "recipients"));
	conf_free(c);
	/* Lowered, they bound each other anyhow; what was named stays. */
	c = parse(BASE "[limits]\nper-hour = 30\nper-day = 4000000000\n"
		       "messages-per-day = 7\nnew-per-day = 9\n");
	assert_non_null(c);
	assert_int_equal(c->messages_hour, 200);
	assert_int_equal(c->messages_day, 7);
	assert_int_equal(c->new_day, 9);
	assert_int_equal(c->guard_new, 180);
	assert_int_equal(c->guard_rate, 150);
	assert_null(conf_raised_with(c, "guard", "rate"));
	conf_free(c);
	c = parse(BASE "[limits]\nnew-per-day = 4000000000\n");
	assert_non_null(c);
	assert_int_equal(c->guard_new, UINT32_MAX);
	conf_free(c);
}

static void
test_certificates(void **state)
{
	struct conf *c = parse(
	    BASE "[tls Mail.Example.NET]\ncertificate = /n.pem\nkey = /n.k\n"
		 "[tls *.example.com]\ncertificate = /s.pem\nkey = /s.k\n");

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->ntls, 3);
	assert_string_equal(c->tls[0].name, "");
	assert_string_equal(c->tls[0].certificate, "/c.pem");
	assert_string_equal(c->tls[1].name, "mail.example.net");
	assert_string_equal(c->tls[1].key, "/n.k");
	assert_string_equal(c->tls[2].name, "*.example.com");
	conf_free(c);
}

static bool
from(const struct conf_listen *l, const char *ip)
{
	struct net_address a;

	assert_true(net_parse(&a, ip, strlen(ip), 1));
	for (size_t i = 0; i < l->nproxies; i++)
		if (net_network_has(&l->proxies[i], (struct sockaddr *)&a.ss))
			return true;
	return false;
}

static void
test_listens(void **state)
{
	struct conf *c = parse(
	    BASE "[listen old]\naddress = 127.0.0.1:2465\ntls = starttls\n"
		 "legacy = yes\n"
		 "[listen lb]\naddress = 127.0.0.1:1465\ntls = implicit\n"
		 "proxy-from = 192.0.2.0/25, 2001:db8::/33 198.51.100.7\n");
	const struct conf_listen *l;
	char text[NET_TEXT + 4];

	(void)state;
	assert_non_null(c);
	assert_false(conf_listen(c, "submissions")->legacy);
	assert_true(conf_listen(c, "old")->legacy);
	assert_null(conf_listen(c, "none"));
	l = conf_listen(c, "lb");
	assert_int_equal(l->nproxies, 3);
	assert_true(from(l, "192.0.2.127"));
	assert_true(from(l, "::ffff:192.0.2.1"));
	assert_false(from(l, "192.0.2.128"));
	assert_true(from(l, "2001:db8:7fff::1"));
	assert_false(from(l, "2001:db8:8000::1"));
	assert_true(from(l, "198.51.100.7"));
	assert_false(from(l, "198.51.100.6"));
	net_network_text(&l->proxies[0], text);
	assert_string_equal(text, "192.0.2.0/25");
	net_network_text(&l->proxies[1], text);
	assert_string_equal(text, "2001:db8::/33");
	conf_free(c);
}

static void
test_anchor_beside_a_server(void **state)
{
	struct conf *c =
	    parse(BASE "[dns]\nserver = 127.0.0.1\ntrust-anchor = /a.key\n");

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->trust_anchor, "/a.key");
	conf_free(c);
}

/* The route of a notice. */
static const struct conf_route *
to(const struct conf *c, const char *domain)
{
	return conf_route(c, &(struct conf_mail){ domain, "", "" });
}

static void
test_routes(void **state)
{
	struct conf *c = parse(
	    BASE "[route *]\nvia = mx:2525\n"
		 "[route Example.NET]\nvia = [2001:db8::1]:26\ntls = required\n"
		 "[route *.example.net]\nvia = 192.0.2.1:27\nrate = 20/m\n"
		 "[route *.b.example.net]\nvia = smart.example.com:587\n"
		 "tls = verified\nuser = u\npassword-file = /p\n");

	(void)state;
	assert_non_null(c);
	assert_int_equal(to(c, "other.org")->port, 2525);
	assert_true(to(c, "other.org")->mx);
	assert_string_equal(to(c, "example.net")->host, "2001:db8::1");
	assert_int_equal(to(c, "example.net")->tls, ROUTE_TLS_REQUIRED);
	assert_int_equal(to(c, "a.example.net")->port, 27);
	assert_int_equal(to(c, "b.example.net")->port, 27);
	assert_int_equal(to(c, "A.B.EXAMPLE.net")->port, 587);
	assert_int_equal(to(c, "notexample.net")->port, 2525);
	assert_int_equal(to(c, "b.example.net")->rate_jobs, 20);
	assert_int_equal(to(c, "b.example.net")->rate_s, 60);
	assert_int_equal(to(c, "other.org")->rate_jobs, 0);
	conf_free(c);
	c = parse(BASE);
	assert_true(to(c, "x.org")->mx);
	conf_free(c);
}

#define EVERY_KIND \
	BASE "[route *]\nvia = any:1\n" \
	     "[route from:*.Example.org]\nvia = below:2\n" \
	     "[route from:example.org]\nvia = from:3\n" \
	     "[route from:news.example.org]\nvia = news:4\n" \
	     "[route account:Alice@example.org]\nvia = alice:5\n" \
	     "[route *.net]\nvia = net:6\n" \
	     "[route *.example.net]\nvia = net2:7\n" \
	     "[route example.net]\nvia = net3:8\n"

/* clang-format off */
static const struct {
	const char *domain, *account, *sender;
	unsigned port;
} choices[] = {
	/* Nothing but * fits. */
	{ "x.com",         "bob@x.org",         "bob@x.org",           1 },
	{ "x.com",         "bob@x.org",         "",                    1 },
	/* The sender's domain, the longer the better. */
	{ "x.com",         "bob@x.org",         "bob@a.example.org",   2 },
	{ "x.com",         "bob@x.org",         "bob@EXAMPLE.org",     3 },
	{ "x.com",         "bob@x.org",         "bob@news.example.org", 4 },
	{ "x.com",         "bob@x.org",         "bob@notexample.org",  1 },
	{ "x.com",         "bob@x.org",         "\"a@x\"@example.org", 3 },
	/* The account before the sender. */
	{ "x.com",         "alice@example.org", "news@news.example.org", 5 },
	{ "x.com",         "alice@example.org", "",                    5 },
	{ "x.com",         "alice@example.or",  "a@x.org",             1 },
	/* The recipient before both. */
	{ "x.net",         "alice@example.org", "alice@example.org",   6 },
	{ "a.example.net", "alice@example.org", "alice@example.org",   7 },
	{ "Example.net",   "alice@example.org", "alice@example.org",   8 },
	/* What postern itself makes has no account. */
	{ "x.com",         "",                  "",                    1 },
	{ "x.com",         "",                  "tls@example.org",     1 },
	{ "example.net",   "",                  "",                    8 },
};
/* clang-format on */

/* The choice is what the file says, in whatever order. */
static void
test_route_choice(void **state)
{
	struct conf *c = parse(EVERY_KIND);

	(void)state;
	assert_non_null(c);
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < sizeof(choices) / sizeof(*choices);
		     i++) {
			struct conf_mail m = { choices[i].domain,
				choices[i].account, choices[i].sender };

			if (conf_route(c, &m)->port != choices[i].port)
				fail_msg("%s %s <%s>: port %u, want %u",
				    m.domain, m.account, m.sender,
				    conf_route(c, &m)->port, choices[i].port);
		}
		for (size_t i = 0; i < c->nroutes / 2; i++) {
			struct conf_route r = c->routes[i];

			c->routes[i] = c->routes[c->nroutes - 1 - i];
			c->routes[c->nroutes - 1 - i] = r;
		}
	}
	assert_true(conf_route_by_sender(c));
	conf_free(c);
}

static void
keep_value(void *arg, const char *section, const char *key, const char *value)
{
	char line[1400];

	if (strncmp(section, "route", 5) != 0)
		return;
	snprintf(line, sizeof(line), "[%s] %s = %s\n", section, key, value);
	strcat(arg, line);
}

static void
test_route_self(void **state)
{
	struct conf *c = parse(
	    BASE "[route account:a@example.org]\nvia = mx:2525\n"
		 "source = 2001:db8::7, 192.0.2.7\nhelo = out7.example.org\n"
		 "[route x]\nsource = 192.0.2.8\n[route y]\nvia = [::1]:25\n");
	char text[4096] = "", line[CONF_ROUTE_TEXT];

	(void)state;
	assert_non_null(c);
	assert_true(conf_route_by_sender(c));
	assert_int_equal(c->routes[0].source4.ss.ss_family, AF_INET);
	assert_int_equal(c->routes[0].source6.ss.ss_family, AF_INET6);
	assert_int_equal(
	    net_port((const struct sockaddr *)&c->routes[0].source4.ss), 0);
	assert_int_equal(c->routes[1].source6.len, 0);
	conf_each(c, keep_value, text);
	assert_string_equal(text,
	    "[route account:a@example.org] via = mx:2525\n"
	    "[route account:a@example.org] tls = opportunistic\n"
	    "[route account:a@example.org] source = 192.0.2.7, 2001:db8::7\n"
	    "[route account:a@example.org] helo = out7.example.org\n"
	    "[route x] via = mx:25\n[route x] tls = opportunistic\n"
	    "[route x] source = 192.0.2.8\n"
	    "[route y] via = [::1]:25\n[route y] tls = opportunistic\n");
	conf_route_text(&c->routes[0], line);
	assert_string_equal(line, "[route account:a@example.org] via mx:2525");
	conf_route_text(&c->routes[2], line);
	assert_string_equal(line, "[route y] via [::1]:25");
	conf_free(c);
}

/* clang-format off */
static const struct {
	const char *text, *expect;
} wrong[] = {
	{ BASE "[route account:alice]\nvia = mx\n", "8: [route account:NAME]: write the account" },
	{ BASE "[route account:*@x.org]\nvia = mx\n", "8: [route account:NAME]" },
	{ BASE "[route from:a@x.org]\nvia = mx\n", "8: [route from:DOMAIN]: write the sender's domain" },
	{ BASE "[route from:*]\nvia = mx\n", "8: [route from:DOMAIN]" },
	{ BASE "[route form:x.org]\nvia = mx\n", "8: [route NAME]" },
	{ BASE "[route alice@x.org]\nvia = mx\n", "8: [route NAME]" },
	{ BASE "[route FROM:x.org]\nvia = mx\n[route from:X.org]\nvia = mx\n",
	  "10: [route from:x.org] is there twice" },
	{ BASE "[route *]\nsource = 192.0.2.1:25\n", "9: source: \"192.0.2.1:25\": write addresses of this machine" },
	{ BASE "[route *]\nsource = eth0\n", "write addresses of this machine" },
	{ BASE "[route *]\nsource = 192.0.2.1, 192.0.2.2\n", "one IPv4 and one IPv6 address at most" },
	{ BASE "[route *]\nhelo = not a name\n", "9: helo: \"not a name\": write a host name" },
	{ BASE "[route *]\nhello = a.b\n", "did you mean \"helo\"?" },
	{ BASE "[tls]\ncertifcate = /x\n",
	  "9: unknown key \"certifcate\" in [tls] | did you mean \"certificate\"?" },
	{ BASE "[tls mail.example.net]\ncertificate = /x\n",
	  "8: [tls NAME] needs certificate and key" },
	{ BASE "[tls not a name]\ncertificate = /x\n", "8: [tls NAME]: write the host name" },
	{ BASE "[tls a.b]\ncertificate = x\nkey = /x\n", "absolute path" },
	{ BASE "[tls a.b]\nca-file = /x\ncertificate = /x\nkey = /x\n", "write it into [tls]" },
	{ BASE "[tls a.b]\ncertificate = /x\nkey = /x\n[tls A.B]\ncertificate = /x\nkey = /x\n",
	  "11: a [tls] of this name is there already" },
	{ BASE "[listen old]\naddress = 127.0.0.1:587\ntls = starttls\nlegacy = yes\n",
	  "8: legacy needs a port of its own" },
	{ BASE "[listen submissions]\naddress = 127.0.0.1:1\ntls = starttls\n",
	  "8: a [listen] of this name is there already" },
	{ BASE "[listen x]\naddress = 127.0.0.1:1\ntls = starttls\nlegacy = maybe\n", "write yes or no" },
	{ BASE "[listen x]\naddress = 127.0.0.1:1\ntls = starttls\nproxy-from = lb.example\n", "write networks like" },
	{ BASE "[listen x]\naddress = 127.0.0.1:1\ntls = starttls\nproxy-from = 192.0.2.1/24\n", "has zeros there" },
	{ BASE "[listen x]\naddress = 127.0.0.1:1\ntls = starttls\nproxy-from = 192.0.2.0/33\n", "number of bits" },
	{ BASE "[listen x]\naddress = 127.0.0.1:1\ntls = starttls\nproxy_from = 192.0.2.0/24\n",
	  "did you mean \"proxy-from\"?" },
	{ BASE "[limits]\nmessage-size = 10MB\n",
	  "9: message-size: \"10MB\": not a size" },
	{ BASE "[limits]\nmessage-size = 9223372036854775808\n", "1048576G at most" },
	{ BASE "[limits]\nrecipients = many\n", "9: recipients: \"many\"" },
	{ BASE "[limits]\nrecipients = 0\n", "9: recipients: \"0\": write 1 to 10000" },
	{ BASE "[limits]\nconnections = 0\n", "9: connections: \"0\": write 1 or more" },
	{ BASE "[limits]\nper-hour = 99999999999\n", "write a whole number, 4294967295 at most" },
	{ BASE "[limits]\nhold = 11000d\n", "9: hold: \"11000d\": ten years" },
	{ BASE "[limits]\nhold = 0\n", "9: hold: \"0\": write 1s or more" },
	{ BASE "[guard]\nnew-recipients = 0\n", "`freeze = no` switches the guard off" },
	{ BASE "[guard]\nnotify = me\n", "9: notify: \"me\": write an address" },
	{ BASE "[queue]\ntls-contact = @example.org\n", "9: tls-contact: \"@example.org\": write an address" },
	{ BASE "[queue]\nin-flight = 0\n", "9: in-flight: \"0\": write 1 or more" },
	{ BASE "[queue]\nretry = 40d\n", "write times from 1s to 30d" },
	{ BASE "[smtpd]\nworkers = 65\n", "9: workers: \"65\": write 0 to 64" },
	{ BASE "[paths]\nrun =\n", "9: run: \"\": write an absolute path" },
	{ BASE "[queue]\ngive-up = 5 parsecs\n", "9: give-up" },
	{ BASE "[colours]\nred = 1\n", "8: unknown section [colours]" },
	{ BASE "[lmits]\nper-hour = 1\n", "did you mean [limits]?" },
	{ BASE "[listn x]\ntls = implicit\n", "did you mean [listen x]?" },
	{ BASE "[listen]\ntls = implicit\n", "sections: tls, tls NAME" },
	{ BASE "what is this\n", "8: a line is `key = value`" },
	{ BASE "[queue\n", "8: `]` is missing" },
	{ BASE "[listen x]\ntls = implicit\n", "8: [listen] needs an address" },
	{ BASE "[listen x]\naddress = 1.2.3.4:1\n", "8: [listen] needs a tls key" },
	{ BASE "[listen x]\naddress = 1.2.3:99999\ntls = starttls\n",
	  "8: address: \"1.2.3:99999\"" },
	{ BASE "[listen x]\naddress = 1.2.3.4:1\ntls = maybe\n", "10: tls: \"maybe\"" },
	{ BASE "[route a*b]\nvia = mx\n", "8: [route NAME]: write the recipients' domain" },
	{ BASE "[route *]\nvia = host\n", "9: via: \"host\": write the port too" },
	{ BASE "[route *]\nvia = host:25\nuser = x\n", "8: a route needs user and password-file" },
	{ BASE "[route *]\nvia = host:25\nrate = 20\n", "10: rate: \"20\": write a number of messages and a time" },
	{ BASE "[route *]\nrate = 20/fortnight\n", "9: rate: \"20/fortnight\": the time is one of s, m, h and d" },
	{ BASE "[route *]\nrate = 0/m\n", "9: rate: \"0/m\"" },
	{ BASE "[route *]\nvia = host:25\ntls = strong\n", "10: tls: \"strong\"" },
	{ BASE "[paths]\nstate = relative\n", "9: state: \"relative\": write an absolute path" },
	{ BASE "[tls]\nkey = /again\n", "9: key: \"/again\": set twice" },
	{ BASE "[log]\nsyslog = perhaps\n", "write yes or no" },
	{ "hostname = -bad\n", "1: hostname: \"-bad\"" },
	{ "", "hostname is missing" },
	{ "hostname = a.b\n[tls]\ncertificate = /c\n", "[tls] needs certificate and key, or neither" },
	{ "hostname = a.b\n[tls]\ncertificate=/c\nkey=/k\n", "no [listen NAME] section" },
	{ "hostnam = x\n", "1: unknown key \"hostnam\" | did you mean \"hostname\"?" },
	{ BASE "[dns]\nserver = nameserver\n", "9: server" },
	{ BASE "[tls]\nhostname = x\n", "write it above all [sections]" },
	{ BASE "[route A.org]\nvia = mx\n[route a.org]\nvia = mx\n",
	  "10: [route a.org] is there twice" },
	{ BASE "[listen x]\naddress = 1.2.3.4:1, [::1]:1, 1.2.3.4:1\ntls = implicit\n",
	  "8: address: 1.2.3.4:1 is there twice" },
	{ BASE "[limits]\ngive-up = 5d\n", "did you mean \"[queue] give-up\"?" },
};
/* clang-format on */

static void
test_workers(void **state)
{
	static const struct {
		uint32_t configured;
		long processors;
		unsigned workers;
	} rows[] = {
		{ 0, -1, 1 }, /* sysconf(3) does not know */
		{ 0, 1, 1 },
		{ 0, 2, 1 },
		{ 0, 3, 2 },
		{ 0, 8, 4 },
		{ 0, 1000, CONF_WORKERS },
		{ 5, 2, 5 },
	};
	struct conf c = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.workers = rows[i].configured;
		assert_int_equal(
		    conf_workers(&c, rows[i].processors), rows[i].workers);
	}
}

static void
test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(parse(wrong[i].text));
		if (strstr(said, wrong[i].expect) == NULL)
			fail_msg("case %zu: wanted \"%s\" in:\n%s", i,
			    wrong[i].expect, said);
	}
}

static void
test_all_errors_in_one_run(void **state)
{
	(void)state;
	assert_null(parse(BASE "[queue]\ngive-up = x\nretry = y\n[nope]\n"));
	assert_non_null(strstr(said, "9: give-up"));
	assert_non_null(strstr(said, "10: retry"));
	assert_non_null(strstr(said, "11: unknown section"));
	/* What is wrong is not missing. */
	assert_null(parse("hostname = -bad\n"));
	assert_null(strstr(said, "missing"));
}

static void
test_long_lines_and_nul(void **state)
{
	char text[2048];
	int errors = 0;
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "%s# ", BASE);
	memset(text + n, 'x', 1000);
	text[n + 1000] = '\0';
	assert_null(parse(text));
	assert_non_null(strstr(said, "8: the line is too long | 198 bytes"));
	said[0] = '\0';
	n = (size_t)snprintf(text, sizeof(text), "%s", BASE);
	memcpy(text + n, "[log]\nsys\0log = yes\n", 21);
	assert_null(conf_parse("t", text, n + 21, on_error, &errors));
	assert_non_null(strstr(said, "9: a NUL byte"));
}

struct found {
	int count;
	char value[64];
};

static void
on_value(void *arg, const char *section, const char *key, const char *value)
{
	struct found *f = arg;

	f->count++;
	if (strcmp(section, "limits") == 0 && strcmp(key, "message-size") == 0)
		snprintf(f->value, sizeof(f->value), "%s", value);
}

static void
test_each(void **state)
{
	struct conf *c = parse(BASE "[limits]\nmessage-size = 12M\n");
	struct found f = { 0 };

	(void)state;
	conf_each(c, on_value, &f);
	assert_true(f.count > 25);
	assert_string_equal(f.value, "12M");
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_salvage),
		cmocka_unit_test(test_salvage_certificates),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_followers),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_listens),
		cmocka_unit_test(test_anchor_beside_a_server),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_route_choice),
		cmocka_unit_test(test_route_self),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_all_errors_in_one_run),
		cmocka_unit_test(test_long_lines_and_nul),
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests_name("lib_conf", tests, NULL, NULL);
}
