/*
 * loop.h - the one event loop of a process (libevent behind it).
 *
 * A turn of the loop is: wait, run every callback that is due, then run the
 * turn hooks.  Hooks are where work that callbacks gathered is done once: the
 * queue commits there, channels flush there.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

/* Once, before all else here. */
void loop_init(void);
/* Runs until loop_stop(). */
void loop_run(void);
void loop_stop(void);
struct event_base *loop_base(void);

/* Milliseconds that only grow; read once a turn, cheap. */
int64_t loop_now_ms(void);
/* Wall clock in milliseconds since 1970; read once a turn. */
int64_t loop_wall_ms(void);
/* Microseconds that only grow, read now; from any thread. */
int64_t loop_exact_us(void);

/* A file descriptor; callbacks see what is ready in `events`. */
enum { LOOP_READ = EV_READ, LOOP_WRITE = EV_WRITE };

struct watch {
	struct event ev;
	void (*cb)(void *arg, short events);
	void *arg;
	bool armed;
	short want;
};

/* Watch fd for LOOP_READ | LOOP_WRITE, level-triggered; 0 stops watching.
 * Call again to change; a no-op when nothing changes. */
void watch_init(
    struct watch *, int fd, void (*cb)(void *arg, short events), void *arg);
void watch_set(struct watch *, short want);

/* A timer that fires once. */
struct timer {
	struct event ev;
	void (*cb)(void *arg);
	void *arg;
	bool ready;
};

void timer_init(struct timer *, void (*cb)(void *arg), void *arg);
void timer_set(struct timer *, int64_t in_ms); /* replaces an earlier time */
void timer_clear(struct timer *);
bool timer_pending(const struct timer *);

/* Signals as callbacks; never freed. */
void loop_signal(int sig, void (*cb)(void *arg), void *arg);

/*
 * Run cb at the end of every turn, in order of registration.  A hook that has
 * more to do soon sets a timer.  At most 16; never freed.
 */
void loop_hook(void (*cb)(void *arg), void *arg);

/* Run cb once, as soon as the callback that is running has returned and not
 * only at the end of the turn.  One such cb in a process. */
void loop_soon(void (*cb)(void *arg), void *arg);

/* Wake the loop from another thread: after write(fd, 8 bytes) to the returned
 * descriptor, the loop's own, cb runs on the loop. */
int loop_waker(void (*cb)(void *arg), void *arg);

#endif
