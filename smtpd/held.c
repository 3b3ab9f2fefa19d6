/*
 * held.c - see held.h.
 *
 * Who comes first is first in the list, so the one timer is the first one's.
 */
#include "lib/log.h"
#include "smtpd/held.h"
#include "smtpd/keyless.h"

#define PATIENCE_MS 2000
#define MOST        1000

static TAILQ_HEAD(, client) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static unsigned count;
static struct timer timer;
static bool patience_is_over;

bool
held_wanted(void)
{
	return !patience_is_over && count < MOST && !keyless_ready();
}

void
held_forget(struct client *c)
{
	if (c->held_since == 0)
		return;
	c->held_since = 0;
	count--;
	TAILQ_REMOVE(&waiting, c, held);
}

static void
release(struct client *c)
{
	held_forget(c);
	io_go_on(&c->io); /* it may be gone now */
}

static void
arm(void)
{
	const struct client *c = TAILQ_FIRST(&waiting);
	int64_t left_ms;

	if (c == NULL)
		return;
	left_ms = c->held_since + PATIENCE_MS - loop_now_ms();
	timer_set(&timer, left_ms > 0 ? left_ms : 0);
}

static void
on_timer(void *arg)
{
	struct client *c;

	(void)arg;
	patience_is_over = true;
	while ((c = TAILQ_FIRST(&waiting)) != NULL &&
	    c->held_since + PATIENCE_MS <= loop_now_ms())
		release(c);
	patience_is_over = false;
	arm();
}

void
held_add(struct client *c)
{
	if (!timer.ready)
		timer_init(&timer, on_timer, NULL);
	if (count == 0)
		log_event("tls.held", "reason=%s", "auth-away");
	c->held_since = loop_now_ms();
	count++;
	TAILQ_INSERT_TAIL(&waiting, c, held);
	if (count == 1)
		arm();
}

void
held_go_on(void)
{
	/* Who is held again, because auth went away again, waits at the end
	 * and is not looked at twice. */
	for (unsigned n = count; n > 0 && !TAILQ_EMPTY(&waiting); n--)
		release(TAILQ_FIRST(&waiting));
	arm();
}
