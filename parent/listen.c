/*
 * listen.c - the bound ports.
 *
 * Every smtpd gets the same sockets: whichever is idle takes the next client,
 * and while one is dead the others go on.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "parent/parent.h"

#define BACKLOG 4096

static struct {
	struct msg_listen what;
	int fd;
} sockets[CONF_LISTENS];
static size_t nsockets;

static int
bind_one(const struct conf_listen *l)
{
	const struct sockaddr *sa = (const struct sockaddr *)&l->address.ss;
	int one = 1, saved;
	int fd = socket(
	    sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sa->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, sa, l->address.len) == -1 || listen(fd, BACKLOG) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
listen_open(const struct conf *c)
{
	int failed = 0;

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct conf_listen *l = &c->listens[i];
		const struct sockaddr *sa =
		    (const struct sockaddr *)&l->address.ss;
		int fd = bind_one(l);
		char ip[NET_TEXT];

		net_text(sa, ip);
		if (fd == -1) {
			log_event("listen.failed",
			    "listen=%s address=%s port=%u error=%s",
			    log_quote(l->name), ip, net_port(sa),
			    log_quote(strerror(errno)));
			failed = -1;
			continue;
		}
		sockets[nsockets].fd = fd;
		memcpy(sockets[nsockets].what.name, l->name, sizeof(l->name));
		sockets[nsockets].what.tls_mode = l->tls;
		sockets[nsockets++].what.port = net_port(sa);
	}
	return failed;
}

void
listen_send(struct channel *c)
{
	struct msg m = { .type = MSG_LISTEN };

	for (size_t i = 0; i < nsockets; i++) {
		m.u.listen = sockets[i].what;
		channel_send(c, &m, sockets[i].fd);
	}
}

void
listen_close(void)
{
	while (nsockets > 0)
		close(sockets[--nsockets].fd);
}
