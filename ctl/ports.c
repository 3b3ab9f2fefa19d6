/*
 * ports.c - see ports.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/output.h"
#include "ctl/ports.h"

static bool
is_taken(const struct conf_listen *l)
{
	const struct sockaddr *sa = (const struct sockaddr *)&l->address.ss;
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool taken;

	if (fd == -1)
		return false;
	/* As parent/listen.c has them. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sa->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	taken = bind(fd, sa, l->address.len) == -1 && errno == EADDRINUSE;
	close(fd);
	return taken;
}

void
ports_note(const struct conf *c)
{
	char ip[NET_TEXT];

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct sockaddr *sa =
		    (const struct sockaddr *)&c->listens[i].address.ss;

		if (!is_taken(&c->listens[i]))
			continue;
		net_text(sa, ip);
		output_note("postern: another program listens on %s port %u: "
			    "the server does not start before that has ended "
			    "(`ss -ltnp` tells which)",
		    ip, net_port(sa));
	}
}
