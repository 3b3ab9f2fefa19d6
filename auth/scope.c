/*
 * scope.c - see scope.h.
 */
#include <stdio.h>
#include <string.h>

#include "auth/login_name.h"
#include "auth/scope.h"
#include "lib/net.h"
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

bool
scope_networks_valid(const char *list)
{
	char item[ADDR_SIZE];
	struct net_network n;

	while (next(&list, item))
		if (net_network_read(&n, item) != NULL)
			return false;
	return true;
}

bool
scope_networks_cover(const char *list, const char *ip)
{
	char item[ADDR_SIZE];
	struct net_network n, client;
	bool any = false, known = net_network_read(&client, ip) == NULL;

	while (next(&list, item)) {
		any = true;
		if (known && net_network_read(&n, item) == NULL &&
		    net_network_covers(&n, &client))
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
