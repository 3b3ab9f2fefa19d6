/*
 * scope.c - see scope.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/login_name.h"
#include "auth/scope.h"
#include "lib/net.h"
#include "mail/ascii.h"
#include "mail/utf8.h"

#define SEPARATORS " ,"

/* The next item of a list; false at the end, and with *item "" for one that
 * is too long. */
static bool
next(const char **list, char item[ADDR_SIZE])
{
	size_t n;

	*list += strspn(*list, SEPARATORS);
	n = strcspn(*list, SEPARATORS);
	if (n == 0)
		return false;
	snprintf(item, ADDR_SIZE, "%.*s", n < ADDR_SIZE ? (int)n : 0, *list);
	*list += n;
	return true;
}

bool
scope_label_valid(const char *label)
{
	size_t n = strlen(label);

	if (n == 0 || n > 63 || !utf8_valid(label, n) || label[0] == ' ' ||
	    label[n - 1] == ' ')
		return false;
	for (const unsigned char *p = (const unsigned char *)label; *p != '\0';
	     p++)
		if (*p < ' ' || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return false;
	return true;
}

struct network {
	int family;
	unsigned char raw[16];
	unsigned bits;
};

static bool
read_ip(struct network *n, const char *text)
{
	memset(n, 0, sizeof(*n));
	n->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	n->bits = n->family == AF_INET ? 32 : 128;
	return inet_pton(n->family, text, n->raw) == 1;
}

static bool
read_network(struct network *n, char *text)
{
	char *slash = strchr(text, '/'), *rest;
	unsigned long bits;

	if (slash != NULL)
		*slash = '\0';
	if (!read_ip(n, text))
		return false;
	if (slash == NULL)
		return true;
	bits = strtoul(slash + 1, &rest, 10);
	if (!ascii_digit(slash[1]) || *rest != '\0' || bits > n->bits)
		return false;
	n->bits = (unsigned)bits;
	return true;
}

static bool
holds(const struct network *n, const struct network *ip)
{
	return n->family == ip->family &&
	    net_same_bits(n->raw, ip->raw, n->bits);
}

bool
scope_networks_valid(const char *list)
{
	char item[ADDR_SIZE];
	struct network n;

	while (next(&list, item))
		if (!read_network(&n, item))
			return false;
	return true;
}

bool
scope_networks_cover(const char *list, const char *ip)
{
	char item[ADDR_SIZE];
	struct network n, client;
	bool any = false;

	if (!read_ip(&client, ip))
		client.family = -1;
	while (next(&list, item)) {
		any = true;
		if (read_network(&n, item) && holds(&n, &client))
			return true;
	}
	return !any;
}

bool
scope_senders_valid(const char *list)
{
	char item[ADDR_SIZE], same[ADDR_SIZE];

	while (next(&list, item))
		if (!grant_canonical(same, item))
			return false;
	return true;
}

bool
scope_senders_cover(const char *list, const struct address *used)
{
	char item[ADDR_SIZE];
	struct address grant;
	bool any = false;

	while (next(&list, item)) {
		any = true;
		if (grant_parse(&grant, item) && address_matches(&grant, used))
			return true;
	}
	return !any;
}
