/*
 * notify.c - sd_notify(3) by hand: one datagram, no library.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "parent/parent.h"

#define ALIVE_MS 10000
#define AGAIN_MS 100
#define EXTEND   "EXTEND_TIMEOUT_USEC=30000000" /* three times as long */

static struct timer alive;
static bool ready, watched;
static const char *owed; /* what the manager had no room for */

/* False when its queue is full: nobody waits for a manager that is busy. */
static bool
tell(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len;
	bool sent;
	int fd;

	if (path == NULL || (*path != '/' && *path != '@') ||
	    strlen(path) >= sizeof(sun.sun_path))
		return true;
	memcpy(sun.sun_path, path, strlen(path));
	if (*path == '@')
		sun.sun_path[0] = '\0'; /* the abstract namespace */
	len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return true;
	/* A manager that does not listen is no reason to fail. */
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&sun, len) != -1 ||
	    errno != EAGAIN;
	close(fd);
	return sent;
}

/* Half of the time that the manager waits for a sign of life; 0 when it waits
 * for none, or for somebody else's. */
static int64_t
watchdog_ms(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(us, NULL, 10) / 2000;
}

static void
on_alive(void *arg)
{
	int64_t in_ms = watchdog_ms();

	(void)arg;
	if (owed != NULL && !tell(owed)) {
		timer_set(&alive, AGAIN_MS);
		return;
	}
	owed = NULL;
	/* Recovery, or rows of an older format, may take their time; what dies
	 * again and again shall end in an error, not in a start without end. */
	if (!ready && !workers_failing())
		(void)tell(EXTEND);
	if (watched)
		(void)tell("WATCHDOG=1");
	if (!ready || watched)
		timer_set(
		    &alive, watched && in_ms < ALIVE_MS ? in_ms : ALIVE_MS);
}

void
notify(const char *state)
{
	ready |= strcmp(state, "READY=1") == 0;
	owed = tell(state) ? NULL : state;
	if (owed != NULL)
		timer_set(&alive, AGAIN_MS);
}

void
notify_begin(void)
{
	watched = watchdog_ms() > 0;
	timer_init(&alive, on_alive, NULL);
	if (getenv("NOTIFY_SOCKET") != NULL)
		on_alive(NULL);
}
