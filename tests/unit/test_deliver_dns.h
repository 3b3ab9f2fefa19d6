/*
 * test_deliver_dns.h - the DNS of the tests of deliver: a server and its zone.
 */
#ifndef TESTS_TEST_DELIVER_DNS_H
#define TESTS_TEST_DELIVER_DNS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NXDOMAIN "nxdomain"
#define SERVFAIL "servfail"
#define SILENT   "silent"

static const struct zone_line {
	const char *name;
	unsigned type; /* 1 A, 15 MX, 28 AAAA */
	const char *value;
} zone[] = {
	{ "two.test", 15, "10 mx1.test" },
	{ "two.test", 15, "20 mx2.test" },
	{ "mx1.test", 1, "127.0.0.3" }, /* nobody is there */
	{ "mx2.test", 1, "127.0.0.2" },
	{ "plain.test", 1, "127.0.0.2" },
	{ "alias.test", 5, "two.test" },
	{ "null.test", 15, "0 ." },
	{ "none.test", 28, "" },
	{ "void.test", 15, "10 nothing.test" },
	{ "nothing.test", 28, "" },
	{ "broken.test", 15, SERVFAIL },
	{ "half.test", 15, "10 brokenhost.test" },
	{ "brokenhost.test", 1, SERVFAIL },
	{ "ours.test", 15, "10 me.test" },
	{ "behind.test", 15, "10 me.test" },
	{ "behind.test", 15, "20 mx2.test" },
	{ "before.test", 15, "5 mx2.test" },
	{ "before.test", 15, "10 me.test" },
	{ "me.test", 1, "127.0.0.2" },
	{ "down.test", 15, "10 mx1.test" },
	{ "smart.test", 1, "127.0.0.2" },
};

static size_t
put_name(unsigned char *p, const char *name)
{
	unsigned char *start = p;

	while (*name != '\0' && strcmp(name, ".") != 0) {
		size_t n = strcspn(name, ".");

		*p++ = (unsigned char)n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.');
	}
	*p++ = 0;
	return (size_t)(p - start);
}

static unsigned char *
put16(unsigned char *p, unsigned v)
{
	*p++ = (unsigned char)(v >> 8);
	*p++ = (unsigned char)v;
	return p;
}

static unsigned char *
put_record(unsigned char *p, const char *owner, const struct zone_line *z)
{
	unsigned char *len;
	char *rest;

	p += put_name(p, owner);
	p = put16(put16(put16(put16(p, z->type), 1), 0), 60);
	len = p;
	p += 2;
	if (z->type == 15) {
		p = put16(p, (unsigned)strtoul(z->value, &rest, 10));
		p += put_name(p, rest + 1);
	} else if (z->type == 5) {
		p += put_name(p, z->value);
	} else {
		p += inet_pton(AF_INET, z->value, p) == 1 ? 4 : 0;
	}
	put16(len, (unsigned)(p - len - 2));
	return p;
}

/* Answer one query in place; 0: stay silent. */
static size_t
dns_answer(unsigned char *q, size_t n)
{
	unsigned char *p = q + 12, *end;
	char name[256] = "", *np = name;
	unsigned type, count = 0, rcode = 3;

	if (n < 17)
		return 0;
	while (*p != 0) {
		np += sprintf(np, "%.*s.", (int)*p, p + 1);
		p += *p + 1;
	}
	if (np > name)
		np[-1] = '\0';
	for (char *c = name; *c != '\0'; c++)
		*c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
	type = (unsigned)p[1] << 8 | p[2];
	end = p + 5;
	for (size_t i = 0; i < sizeof(zone) / sizeof(*zone); i++) {
		const struct zone_line *z = &zone[i];

		if (strcmp(z->name, name) != 0)
			continue;
		if (strcmp(z->value, SILENT) == 0)
			return 0;
		if (strcmp(z->value, SERVFAIL) == 0) {
			rcode = 2;
			continue;
		}
		rcode = rcode == 3 ? 0 : rcode;
		if ((z->type == type && *z->value != '\0') || z->type == 5) {
			end = put_record(end, name, z);
			count++;
		}
		if (z->type == 5)
			snprintf(name, sizeof(name), "%s", z->value), i = -1;
	}
	q[2] = 0x85;
	q[3] = (unsigned char)(0x80 | rcode);
	put16(put16(put16(q + 6, count), 0), 0);
	return (size_t)(end - q);
}

static int dns_fd;
static unsigned dns_port;

static void *
dns_serve(void *arg)
{
	unsigned char q[2048];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	(void)arg;
	while ((n = recvfrom(
		    dns_fd, q, 512, 0, (struct sockaddr *)&from, &len)) > 0) {
		size_t m = dns_answer(q, (size_t)n);

		if (m > 0)
			sendto(dns_fd, q, m, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

#endif
