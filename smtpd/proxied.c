/*
 * proxied.c - see proxied.h.
 *
 * What is behind the header belongs to TLS, so it must stay in the socket:
 * the header is looked at there first, and only its own octets are taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/proxy.h"
#include "smtpd/proxied.h"

#define PATIENCE_MS 5000

struct proxied {
	int fd;
	struct sockaddr_storage peer;
	struct door door;
	struct watch watch;
	struct timer timer;
	size_t have;
	unsigned char header[PROXY_MOST];
	LIST_ENTRY(proxied) link;
};

static LIST_HEAD(, proxied) waiting = LIST_HEAD_INITIALIZER(waiting);
static unsigned count;
static listener_fn *next;
static void (*on_less)(void);

static void
log_closed(
    const struct sockaddr *peer, const struct door *door, const char *hint)
{
	char ip[NET_TEXT];

	net_text(peer, ip);
	log_event("smtp.closed", "ip=%s port=%u hint=%s", ip, door->port, hint);
}

/* It waits no more; the descriptor is the caller's. */
static int
forget(struct proxied *p)
{
	int fd = p->fd;

	watch_set(&p->watch, 0);
	timer_clear(&p->timer);
	LIST_REMOVE(p, link);
	count--;
	free(p);
	return fd;
}

static void
give_up(struct proxied *p, const char *hint)
{
	log_closed((struct sockaddr *)&p->peer, &p->door, hint);
	close(forget(p));
	on_less();
}

static void
on_timeout(void *arg)
{
	give_up(arg, "no-proxy-header");
}

/* Take the first n octets out of the socket: they were seen there. */
static bool
take(struct proxied *p, size_t n)
{
	if (recv(p->fd, p->header + p->have, n, 0) != (ssize_t)n)
		return false;
	p->have += n;
	return true;
}

static void
on_ready(void *arg, short events)
{
	struct proxied *p = arg;
	struct sockaddr_storage client = p->peer;
	struct door door = p->door;
	size_t used, seen;
	ssize_t n;

	(void)events;
	n = recv(
	    p->fd, p->header + p->have, sizeof(p->header) - p->have, MSG_PEEK);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		give_up(p, "no-proxy-header");
		return;
	}
	seen = p->have + (size_t)n;
	switch (proxy_parse(p->header, seen, &client, &used)) {
	case PROXY_MORE:
		if (seen == sizeof(p->header) || !take(p, (size_t)n))
			give_up(p, "bad-proxy-header");
		return;
	case PROXY_BAD:
		give_up(p, "bad-proxy-header");
		return;
	case PROXY_OK:
		break;
	}
	if (!take(p, used - p->have)) {
		give_up(p, "bad-proxy-header");
		return;
	}
	next(forget(p), (struct sockaddr *)&client, &door);
}

void
proxied_init(listener_fn *with, void (*less)(void))
{
	next = with;
	on_less = less;
}

static bool
is_welcome(const struct conf_listen *l, const struct sockaddr *peer)
{
	for (size_t i = 0; i < l->nproxies; i++)
		if (net_network_has(&l->proxies[i], peer))
			return true;
	return false;
}

void
proxied_begin(int fd, const struct sockaddr *peer, const struct door *door,
    const struct conf_listen *l)
{
	struct proxied *p;

	if (!is_welcome(l, peer)) {
		log_closed(peer, door, "not-proxy-from");
		close(fd);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->fd = fd;
	memcpy(&p->peer, peer,
	    peer->sa_family == AF_INET ? sizeof(struct sockaddr_in)
				       : sizeof(struct sockaddr_in6));
	p->door = *door;
	LIST_INSERT_HEAD(&waiting, p, link);
	count++;
	timer_init(&p->timer, on_timeout, p);
	timer_set(&p->timer, PATIENCE_MS);
	watch_init(&p->watch, fd, on_ready, p);
	watch_set(&p->watch, LOOP_READ);
}

unsigned
proxied_count(void)
{
	return count;
}

void
proxied_stop(void)
{
	while (!LIST_EMPTY(&waiting))
		close(forget(LIST_FIRST(&waiting)));
}
