/*
 * listener.c - see listener.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "smtpd/listener.h"

#define LISTENERS   64
#define TURN_MOST   8   /* accepted in one turn; the rest is for others */
#define BREATHER_MS 250 /* without descriptors */

struct listener {
	int fd;
	struct door door;
	struct watch watch;
};

/* Those in use, and those that have come for the next reload. */
static struct listener listeners[LISTENERS], coming[LISTENERS];
static int count, ncoming;
static listener_fn *on_client;
static bool paused;
static struct timer breather;
static int spare = -1; /* given up to turn one client away properly */

/* Of stderr: a second descriptor of a listening socket would keep its port
 * open after listener_stop(). */
static void
keep_spare(void)
{
	spare = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
}

void
listener_add(const struct msg_listen *m, int fd)
{
	struct listener *l;

	if (ncoming == LISTENERS)
		fatal("more than %d listening sockets", LISTENERS);
	l = &coming[ncoming++];
	l->fd = fd;
	snprintf(l->door.name, sizeof(l->door.name), "%s", m->name);
	l->door.port = m->port;
	l->door.implicit = m->tls_mode == TLS_MODE_IMPLICIT;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void
watch_all(void)
{
	bool on = !paused && !timer_pending(&breather);

	for (int i = 0; i < count; i++)
		watch_set(&listeners[i].watch, on ? LOOP_READ : 0);
}

static void
on_breath(void *arg)
{
	(void)arg;
	watch_all();
}

/*
 * Without a descriptor left the client would stay in the backlog and the
 * socket ready for ever: take it, drop it, and look away for a while.
 */
static void
turn_away(struct listener *l)
{
	int fd;

	log_event("smtp.full", "error=%s", log_quote(strerror(errno)));
	if (spare != -1) {
		close(spare);
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			close(fd);
		keep_spare();
	}
	timer_set(&breather, BREATHER_MS);
	watch_all();
}

static void
on_ready(void *arg, short events)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	(void)events;
	for (int i = 0; i < TURN_MOST && !paused && l->fd != -1; i++) {
		len = sizeof(ss);
		fd = accept4(l->fd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			on_client(fd, (struct sockaddr *)&ss, &l->door);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			turn_away(l);
			return;
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void
close_all(void)
{
	for (int i = 0; i < count; i++) {
		watch_set(&listeners[i].watch, 0);
		close(listeners[i].fd);
		listeners[i].fd = -1;
	}
	count = 0;
}

/* The same sockets come with other descriptors: whoever waits in them stays. */
void
listener_renew(void)
{
	if (ncoming == 0)
		return;
	close_all();
	memcpy(listeners, coming, sizeof(listeners));
	count = ncoming;
	ncoming = 0;
	for (int i = 0; i < count; i++)
		watch_init(&listeners[i].watch, listeners[i].fd, on_ready,
		    &listeners[i]);
	watch_all();
}

void
listener_start(listener_fn *cb)
{
	on_client = cb;
	timer_init(&breather, on_breath, NULL);
	keep_spare();
	listener_renew();
}

void
listener_pause(bool on)
{
	if (paused == on)
		return;
	paused = on;
	watch_all();
}

void
listener_stop(void)
{
	close_all();
	timer_clear(&breather);
}
