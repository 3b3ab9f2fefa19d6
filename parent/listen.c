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

static struct bound {
	struct msg_listen what;
	struct net_address address;
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

static bool
has_address(const struct bound *b, const struct conf_listen *l)
{
	const struct sockaddr *a = (const struct sockaddr *)&b->address.ss;
	const struct sockaddr *o = (const struct sockaddr *)&l->address.ss;

	return net_equal(a, o) && net_port(a) == net_port(o);
}

static struct bound *
find(const struct conf_listen *l)
{
	for (size_t i = 0; i < nsockets; i++)
		if (has_address(&sockets[i], l))
			return &sockets[i];
	return NULL;
}

static bool
is_kept(const struct bound *b, const struct bound *fresh, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fresh[i].fd == b->fd)
			return true;
	return false;
}

static const char *
remedy(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "`ss -ltnp` tells which program has it";
	case EADDRNOTAVAIL:
		return "`ip address` lists those of this machine";
	case EACCES:
		return "ports below 1024 need root, or CAP_NET_BIND_SERVICE";
	default:
		return "change the address in the configuration";
	}
}

/* The descriptor for this one, an old one if there is; -1 after logging. */
static int
socket_for(const struct conf_listen *l)
{
	const struct sockaddr *sa = (const struct sockaddr *)&l->address.ss;
	struct bound *old = find(l);
	char ip[NET_TEXT];
	int fd, error;

	if (old != NULL)
		return old->fd;
	if ((fd = bind_one(l)) != -1)
		return fd;
	error = errno;
	net_text(sa, ip);
	log_event("listen.failed",
	    "listen=%s address=%s port=%u error=%s fix=%s", log_quote(l->name),
	    ip, net_port(sa), log_quote(strerror(error)),
	    log_quote(remedy(error)));
	return -1;
}

/* Close the sockets in a[n] that are not in b[m]. */
static void
close_others(const struct bound *a, size_t n, const struct bound *b, size_t m)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].fd != -1 && !is_kept(&a[i], b, m))
			close(a[i].fd);
}

int
listen_open(const struct conf *c)
{
	struct bound fresh[CONF_LISTENS];
	int failed = 0;

	memset(fresh, 0, sizeof(fresh));
	for (size_t i = 0; i < c->nlistens; i++) {
		const struct conf_listen *l = &c->listens[i];

		fresh[i].fd = socket_for(l);
		fresh[i].address = l->address;
		memcpy(fresh[i].what.name, l->name, sizeof(l->name));
		fresh[i].what.tls_mode = l->tls;
		fresh[i].what.port =
		    net_port((const struct sockaddr *)&l->address.ss);
		if (fresh[i].fd == -1)
			failed = -1;
	}
	if (failed == -1) {
		close_others(fresh, c->nlistens, sockets, nsockets);
		return -1;
	}
	close_others(sockets, nsockets, fresh, c->nlistens);
	memcpy(sockets, fresh, sizeof(sockets));
	nsockets = c->nlistens;
	return 0;
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
