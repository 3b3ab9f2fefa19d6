/*
 * net.c - see net.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/net.h"

/* A decimal port, 1 to 65535, all of s[n]; 0 when it is not one. */
static unsigned
parse_port(const char *s, size_t n)
{
	unsigned port = 0;

	if (n == 0 || n > 5)
		return 0;
	for (; n > 0; n--, s++) {
		if (*s < '0' || *s > '9')
			return 0;
		port = port * 10 + (unsigned)(*s - '0');
	}
	return port <= 65535 ? port : 0;
}

static bool
parse_host(struct net_address *a, const char *s, size_t n, unsigned port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->ss;
	char host[NET_TEXT];

	if (n == 0 || n >= sizeof(host) || memchr(s, 0, n) != NULL)
		return false;
	memcpy(host, s, n);
	host[n] = '\0';
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		a->len = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		a->len = sizeof(*in6);
	} else {
		return false;
	}
	net_set_port(a, port);
	return true;
}

bool
net_parse(struct net_address *a, const char *s, size_t n, unsigned default_port)
{
	const char *end = s + n, *close, *colon;
	unsigned port = default_port;

	if (n > 0 && *s == '[') {
		if ((close = memchr(s, ']', n)) == NULL)
			return false;
		if (close + 1 < end) {
			if (close[1] != ':')
				return false;
			port = parse_port(close + 2, (size_t)(end - close - 2));
		}
		return port != 0 &&
		    parse_host(a, s + 1, (size_t)(close - s - 1), port);
	}
	colon = memchr(s, ':', n);
	if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		colon = NULL; /* a bare IPv6 address has no port */
	if (colon != NULL) {
		port = parse_port(colon + 1, (size_t)(end - colon - 1));
		end = colon;
	}
	return port != 0 && parse_host(a, s, (size_t)(end - s), port);
}

void
net_text(const struct sockaddr *sa, char out[NET_TEXT])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	out[0] = '\0';
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr,
		    out, NET_TEXT);
	else if (sa->sa_family != AF_INET6)
		snprintf(out, NET_TEXT, "local");
	else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, out, NET_TEXT);
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, out, NET_TEXT);
}

unsigned
net_port(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)sa)->sin_port);
	if (sa->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	return 0;
}

void
net_set_port(struct net_address *a, unsigned port)
{
	if (a->ss.ss_family == AF_INET)
		((struct sockaddr_in *)&a->ss)->sin_port =
		    htons((uint16_t)port);
	else if (a->ss.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&a->ss)->sin6_port =
		    htons((uint16_t)port);
}

/* Any address as 16 octets; false when it is not of the Internet. */
static bool
octets(const struct sockaddr *sa, uint8_t out[16])
{
	memset(out, 0, 16);
	if (sa->sa_family == AF_INET) {
		out[10] = out[11] = 0xff;
		memcpy(
		    out + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(out, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	return true;
}

bool
net_same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	    (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

const char *
net_network_read(struct net_network *n, const char *s)
{
	const char *slash = strchr(s, '/');
	size_t len = slash != NULL ? (size_t)(slash - s) : strlen(s);
	struct net_address a;
	unsigned most, bits;

	if (!parse_host(&a, s, len, 1) ||
	    !octets((struct sockaddr *)&a.ss, n->address))
		return "write networks like 192.0.2.0/24 or 2001:db8::/32";
	most = bits = a.ss.ss_family == AF_INET ? 32 : 128;
	if (slash != NULL) {
		bits = parse_port(slash + 1, strlen(slash + 1));
		if (bits > most || (bits == 0 && strcmp(slash, "/0") != 0))
			return "what is behind the / is not a number of bits";
	}
	n->bits = bits + 128 - most;
	return NULL;
}

const char *
net_network_parse(struct net_network *n, const char *s)
{
	const char *why = net_network_read(n, s);
	uint8_t masked[16] = { 0 };

	if (why != NULL)
		return why;
	memcpy(masked, n->address, n->bits / 8);
	if (n->bits % 8 != 0)
		masked[n->bits / 8] = (uint8_t)(n->address[n->bits / 8] &
		    0xff << (8 - n->bits % 8));
	if (memcmp(masked, n->address, sizeof(masked)) != 0)
		return "the address goes on behind the bits of the network; "
		       "192.0.2.0/24 has zeros there";
	return NULL;
}

static bool
is_v4(const struct net_network *n)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return n->bits >= 96 && memcmp(n->address, mapped, sizeof(mapped)) == 0;
}

bool
net_network_covers(const struct net_network *a, const struct net_network *b)
{
	return is_v4(a) == is_v4(b) && a->bits <= b->bits &&
	    net_same_bits(a->address, b->address, a->bits);
}

bool
net_network_has(const struct net_network *n, const struct sockaddr *sa)
{
	struct net_network one = { .bits = 128 };

	return octets(sa, one.address) && net_network_covers(n, &one);
}

void
net_network_text(const struct net_network *n, char out[NET_TEXT + 4])
{
	bool v4 = is_v4(n);
	char text[NET_TEXT] = "";

	if (v4)
		inet_ntop(AF_INET, n->address + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, n->address, text, sizeof(text));
	snprintf(out, NET_TEXT + 4, "%s/%u", text, v4 ? n->bits - 96 : n->bits);
}

bool
net_is_loopback(const struct sockaddr *sa)
{
	char text[NET_TEXT];

	net_text(sa, text);
	return strncmp(text, "127.", 4) == 0 || strcmp(text, "::1") == 0;
}

bool
net_equal(const struct sockaddr *a, const struct sockaddr *b)
{
	char x[NET_TEXT], y[NET_TEXT];

	net_text(a, x);
	net_text(b, y);
	return strcmp(x, y) == 0;
}

void
net_prefix(const char *ip, char out[NET_TEXT + 4])
{
	unsigned char raw[16];
	char text[NET_TEXT];

	if (inet_pton(AF_INET, ip, raw) == 1) {
		raw[3] = 0;
		inet_ntop(AF_INET, raw, text, sizeof(text));
		snprintf(out, NET_TEXT + 4, "%s/24", text);
	} else if (inet_pton(AF_INET6, ip, raw) == 1) {
		memset(raw + 7, 0, 9);
		inet_ntop(AF_INET6, raw, text, sizeof(text));
		snprintf(out, NET_TEXT + 4, "%s/56", text);
	} else {
		snprintf(out, NET_TEXT + 4, "%.40s", ip);
	}
}
