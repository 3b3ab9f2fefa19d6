/*
 * net.h - addresses as text and back, networks for limits.
 */
#ifndef LIB_NET_H
#define LIB_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NET_TEXT 46 /* an address as text with its NUL */

struct net_address {
	struct sockaddr_storage ss;
	socklen_t len;
};

/* "192.0.2.1:25", "[::1]:25", or without port when default_port is not 0. */
bool
net_parse(struct net_address *, const char *s, size_t n, unsigned default_port);
/* The address without its port; IPv4-mapped IPv6 comes out as IPv4. */
void net_text(const struct sockaddr *, char out[NET_TEXT]);
unsigned net_port(const struct sockaddr *);
void net_set_port(struct net_address *, unsigned port);

/* "192.0.2.0/24", "2001:db8::/32", or one address. */
struct net_network {
	uint8_t address[16]; /* IPv4 as ::ffff:192.0.2.0 */
	unsigned bits;       /* of those 128 */
};

/* NULL, or what is wrong with the text. */
const char *net_network_parse(struct net_network *, const char *);
/* The same, and the bits behind those of the network may be any. */
const char *net_network_read(struct net_network *, const char *);
/* ::/0 is IPv6 and nothing else, 0.0.0.0/0 all of IPv4. */
bool net_network_has(const struct net_network *, const struct sockaddr *);
/* Whether all of b is in a. */
bool
net_network_covers(const struct net_network *a, const struct net_network *b);
void net_network_text(const struct net_network *, char out[NET_TEXT + 4]);
bool net_is_loopback(const struct sockaddr *);
bool net_equal(const struct sockaddr *, const struct sockaddr *); /* no port */
/* Whether the first bits of two addresses are the same. */
bool net_same_bits(const uint8_t *, const uint8_t *, unsigned bits);
/* The /24 or /56 an address (as text) is in, as text: "192.0.2.0/24". */
void net_prefix(const char *ip, char out[NET_TEXT + 4]);

#endif
