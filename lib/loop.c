/*
 * loop.c - see loop.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"

#define HOOKS 16

static struct event_base *base;
static bool stopping;
static int64_t now_ms, wall_ms;
static bool stale; /* the clocks were not read since the loop slept */
static struct {
	void (*cb)(void *);
	void *arg;
} hooks[HOOKS];
static int nhooks;
static void (*soon)(void *);
static void *soon_arg;

static void
read_clocks(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	clock_gettime(CLOCK_REALTIME, &ts);
	wall_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	stale = false;
}

void
loop_init(void)
{
	struct event_config *cfg = event_config_new();

	/* One thread owns the loop; other threads wake it by an eventfd. */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (base == NULL)
		fatal("event loop: no memory or no epoll");
	read_clocks();
}

struct event_base *
loop_base(void)
{
	return base;
}

static void
run_hooks(void)
{
	for (int i = 0; i < nhooks; i++)
		hooks[i].cb(hooks[i].arg);
}

void
loop_run(void)
{
	stopping = false;
	run_hooks();
	while (!stopping) {
		stale = true;
		if (event_base_loop(base, EVLOOP_ONCE) == -1)
			fatal("event loop failed");
		run_hooks();
	}
}

void
loop_stop(void)
{
	stopping = true;
	event_base_loopbreak(base);
}

int64_t
loop_now_ms(void)
{
	if (stale)
		read_clocks();
	return now_ms;
}

int64_t
loop_wall_ms(void)
{
	if (stale)
		read_clocks();
	return wall_ms;
}

int64_t
loop_exact_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
on_watch(evutil_socket_t fd, short events, void *arg)
{
	struct watch *w = arg;
	void (*cb)(void *);

	(void)fd;
	w->cb(w->arg, events);
	if ((cb = soon) != NULL) {
		soon = NULL;
		cb(soon_arg);
	}
}

void
watch_init(
    struct watch *w, int fd, void (*cb)(void *arg, short events), void *arg)
{
	memset(w, 0, sizeof(*w));
	w->cb = cb;
	w->arg = arg;
	event_assign(&w->ev, base, fd, EV_PERSIST, on_watch, w);
}

void
watch_set(struct watch *w, short want)
{
	evutil_socket_t fd;

	if (w->want == want)
		return;
	fd = event_get_fd(&w->ev);
	if (w->armed)
		event_del(&w->ev);
	w->armed = want != 0;
	w->want = want;
	if (!w->armed)
		return;
	event_assign(&w->ev, base, fd, (short)(want | EV_PERSIST), on_watch, w);
	if (event_add(&w->ev, NULL) == -1)
		fatal("cannot watch descriptor %d", (int)fd);
}

static void
on_timer(evutil_socket_t fd, short events, void *arg)
{
	struct timer *t = arg;

	(void)fd, (void)events;
	t->cb(t->arg);
}

void
timer_init(struct timer *t, void (*cb)(void *arg), void *arg)
{
	memset(t, 0, sizeof(*t));
	t->cb = cb;
	t->arg = arg;
	t->ready = true;
	event_assign(&t->ev, base, -1, 0, on_timer, t);
}

void
timer_set(struct timer *t, int64_t in_ms)
{
	struct timeval tv;

	assert(t->ready);
	if (in_ms < 0)
		in_ms = 0;
	tv.tv_sec = (time_t)(in_ms / 1000);
	tv.tv_usec = (suseconds_t)(in_ms % 1000) * 1000;
	event_add(&t->ev, &tv);
}

void
timer_clear(struct timer *t)
{
	if (t->ready)
		event_del(&t->ev);
}

bool
timer_pending(const struct timer *t)
{
	return t->ready && event_pending(&t->ev, EV_TIMEOUT, NULL);
}

struct handler {
	struct event ev;
	void (*cb)(void *);
	void *arg;
};

static void
on_signal(evutil_socket_t sig, short events, void *arg)
{
	struct handler *h = arg;

	(void)sig, (void)events;
	h->cb(h->arg);
}

void
loop_signal(int sig, void (*cb)(void *arg), void *arg)
{
	struct handler *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	h->cb = cb;
	h->arg = arg;
	event_assign(&h->ev, base, sig, EV_SIGNAL | EV_PERSIST, on_signal, h);
	event_add(&h->ev, NULL);
}

void
loop_hook(void (*cb)(void *arg), void *arg)
{
	assert(nhooks < HOOKS);
	hooks[nhooks].cb = cb;
	hooks[nhooks++].arg = arg;
}

void
loop_soon(void (*cb)(void *arg), void *arg)
{
	assert(soon == NULL || soon == cb);
	soon = cb;
	soon_arg = arg;
}

static void
on_wake(evutil_socket_t fd, short events, void *arg)
{
	struct handler *h = arg;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) == -1)
		return; /* another wake-up took it */
	h->cb(h->arg);
}

int
loop_waker(void (*cb)(void *arg), void *arg)
{
	struct handler *h = calloc(1, sizeof(*h));
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (h == NULL || fd == -1)
		fatal("eventfd failed");
	h->cb = cb;
	h->arg = arg;
	event_assign(&h->ev, base, fd, EV_READ | EV_PERSIST, on_wake, h);
	event_add(&h->ev, NULL);
	return fd;
}
