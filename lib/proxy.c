/*
 * proxy.c - see proxy.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/net.h"
#include "lib/proxy.h"

#define V1_MOST 107 /* octets, CRLF included */
#define V2_HEAD 16

static const unsigned char v1_start[] = "PROXY ";
static const unsigned char v2_start[] = "\r\n\r\n\0\r\nQUIT\n";

#define V1_START (sizeof(v1_start) - 1)
#define V2_START (sizeof(v2_start) - 1)

static void
set_address(
    struct sockaddr_storage *to, int family, const void *address, unsigned port)
{
	struct net_address a = { .ss.ss_family = (sa_family_t)family };

	if (family == AF_INET)
		memcpy(&((struct sockaddr_in *)&a.ss)->sin_addr, address, 4);
	else
		memcpy(&((struct sockaddr_in6 *)&a.ss)->sin6_addr, address, 16);
	net_set_port(&a, port);
	*to = a.ss;
}

/* The next word of a line, ended by one space or by its end; false when it is
 * empty or too long. */
static bool
word(const char **line, char *out, size_t size)
{
	size_t n = strcspn(*line, " ");

	if (n == 0 || n >= size)
		return false;
	memcpy(out, *line, n);
	out[n] = '\0';
	*line += n + ((*line)[n] == ' ');
	return true;
}

static bool
is_port(const char *s, unsigned *port)
{
	*port = 0;
	if (*s == '\0' || (*s == '0' && s[1] != '\0'))
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		*port = *port * 10 + (unsigned)(*s - '0');
		if (*port > 65535)
			return false;
	}
	return true;
}

/* "TCP4 192.0.2.1 192.0.2.2 56324 465"; UNKNOWN may be followed by anything. */
static enum proxy
read_line(const char *line, struct sockaddr_storage *client)
{
	char kind[8], from[NET_TEXT], to[NET_TEXT], from_port[6], to_port[6];
	unsigned char source[16], destination[16];
	unsigned port, unused;
	int family;

	if (!word(&line, kind, sizeof(kind)))
		return PROXY_BAD;
	if (strcmp(kind, "UNKNOWN") == 0)
		return PROXY_OK;
	if (strcmp(kind, "TCP4") == 0)
		family = AF_INET;
	else if (strcmp(kind, "TCP6") == 0)
		family = AF_INET6;
	else
		return PROXY_BAD;
	if (!word(&line, from, sizeof(from)) || !word(&line, to, sizeof(to)) ||
	    !word(&line, from_port, sizeof(from_port)) ||
	    !word(&line, to_port, sizeof(to_port)) || line[-1] == ' ' ||
	    *line != '\0' || inet_pton(family, from, source) != 1 ||
	    inet_pton(family, to, destination) != 1 ||
	    !is_port(from_port, &port) || !is_port(to_port, &unused))
		return PROXY_BAD;
	set_address(client, family, source, port);
	return PROXY_OK;
}

static enum proxy
parse_v1(const unsigned char *p, size_t n, struct sockaddr_storage *client,
    size_t *used)
{
	size_t most = n < V1_MOST ? n : V1_MOST;
	const unsigned char *lf = memchr(p, '\n', most);
	char line[V1_MOST];

	if (lf == NULL)
		return most == V1_MOST || memchr(p, 0, most) != NULL
		    ? PROXY_BAD
		    : PROXY_MORE;
	*used = (size_t)(lf + 1 - p);
	if (lf[-1] != '\r' || memchr(p, 0, *used) != NULL)
		return PROXY_BAD;
	memcpy(line, p + V1_START, *used - V1_START - 2);
	line[*used - V1_START - 2] = '\0';
	return read_line(line, client);
}

static enum proxy
parse_v2(const unsigned char *p, size_t n, struct sockaddr_storage *client,
    size_t *used)
{
	size_t len;

	if (n < V2_HEAD)
		return PROXY_MORE;
	len = (size_t)p[14] << 8 | p[15];
	if ((p[12] != 0x20 && p[12] != 0x21) || V2_HEAD + len > PROXY_MOST)
		return PROXY_BAD;
	if (p[12] == 0x21 && p[13] != 0x00 && !(p[13] == 0x11 && len >= 12) &&
	    !(p[13] == 0x21 && len >= 36))
		return PROXY_BAD;
	if (n < V2_HEAD + len)
		return PROXY_MORE;
	*used = V2_HEAD + len;
	p += 12;
	if (p[0] == 0x20 || p[1] == 0x00)
		return PROXY_OK; /* a health check, or nothing known */
	if (p[1] == 0x11)
		set_address(
		    client, AF_INET, p + 4, (unsigned)p[12] << 8 | p[13]);
	else
		set_address(
		    client, AF_INET6, p + 4, (unsigned)p[36] << 8 | p[37]);
	return PROXY_OK;
}

enum proxy
proxy_parse(const unsigned char *p, size_t n, struct sockaddr_storage *client,
    size_t *used)
{
	if (memcmp(p, v1_start, n < V1_START ? n : V1_START) == 0)
		return n < V1_START ? PROXY_MORE : parse_v1(p, n, client, used);
	if (memcmp(p, v2_start, n < V2_START ? n : V2_START) == 0)
		return n < V2_START ? PROXY_MORE : parse_v2(p, n, client, used);
	return PROXY_BAD;
}
