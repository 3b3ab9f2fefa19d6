/*
 * self.c - see self.h.
 */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "deliver/self.h"

static struct {
	char name[256];
	struct net_address listens[CONF_LISTENS];
	size_t nlistens;
} self;

void
self_configure(const struct conf *c)
{
	snprintf(self.name, sizeof(self.name), "%s", c->hostname);
	self.nlistens = c->nlistens;
	for (size_t i = 0; i < c->nlistens; i++)
		self.listens[i] = c->listens[i].address;
}

const char *
self_name(void)
{
	return self.name;
}

static bool
is_any(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return in->sin_addr.s_addr == htonl(INADDR_ANY);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return memcmp(in6->sin6_addr.s6_addr + 12, "\0\0\0", 4) == 0;
	return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

static bool
is_local(const struct sockaddr *sa)
{
	struct ifaddrs *all, *i;
	/* The kernel takes who connects to no address home, too. */
	bool found = is_any(sa) || net_is_loopback(sa);

	if (found || getifaddrs(&all) == -1)
		return found;
	/* By whatever family: ::ffff:192.0.2.1 is 192.0.2.1. */
	for (i = all; i != NULL && !found; i = i->ifa_next)
		found = i->ifa_addr != NULL && net_equal(i->ifa_addr, sa);
	freeifaddrs(all);
	return found;
}

bool
self_listens(const struct sockaddr *sa)
{
	for (size_t i = 0; i < self.nlistens; i++) {
		const struct sockaddr *at =
		    (const struct sockaddr *)&self.listens[i].ss;

		if (net_port(at) != net_port(sa))
			continue;
		if (is_any(at) ? is_local(sa)
			       : net_equal(at, sa) ||
			    (is_any(sa) && net_is_loopback(at)))
			return true;
	}
	return false;
}
